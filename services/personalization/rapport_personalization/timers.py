"""Candidates that wait: made, started again, and moved when people are merged or parted."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace
from rapport_runtime.people import Persons
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization import candidates, decisions
from rapport_personalization.batches import Person
from rapport_personalization.candidates import Waiting
from rapport_personalization.domain.candidates import restarts
from rapport_personalization.domain.holdout import decision_key
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.scene import Candidate
from rapport_personalization.rules import Rules


async def add(tx: AsyncConnection, persons: Iterable[Person], rules: Rules) -> None:
    """What a batch makes us consider. Nothing is decided on twice, under whichever id."""
    new: dict[bytes, Waiting] = {}
    members: dict[str, tuple[str, ...]] = {}
    for person in persons:
        for found in person.found:
            if rules.starts(found.candidate):
                one = _waiting(found.candidate, found.subject, rules)
                members[person.key] = person.members
                _keep(new, one, rules)
    await put(tx, new, members, rules)


async def put(
    tx: AsyncConnection,
    new: Mapping[bytes, Waiting],
    members: Mapping[str, tuple[str, ...]],
    rules: Rules,
) -> None:
    """Candidates of people who are locked; `members` of each of them."""
    if not new:
        return
    ids = {one.id: _ids(one, members[one.candidate.person], rules.policies) for one in new.values()}
    decided = await decisions.load_decided(tx, {id_ for all_ in ids.values() for id_ in all_})
    known = await candidates.load(tx, new)
    wanted = [
        one
        for one in new.values()
        if decided.isdisjoint(ids[one.id]) and _takes_its_place(known.get(one.id), one, rules)
    ]
    await candidates.add(tx, [one for one in wanted if one.id not in known])
    await candidates.put(tx, [one for one in wanted if one.id in known])


async def move(
    tx: AsyncConnection, people: Persons, subjects: Collection[str], rules: Rules
) -> None:
    """A candidate belongs to the person of its event's subject; of two alike one is left."""
    before = await candidates.load_of(tx, subjects)
    after: dict[bytes, Waiting] = {}
    # What acts first: it must not give way to a shadow.
    for one in sorted(before, key=lambda one: (one.shadow, one.order)):
        person = people.of(one.subject)
        if not person.erased:
            moved = _moved(one, person.key, rules.policies)
            after.setdefault(moved.id, moved)
    unchanged = {one.id for one in before} & after.keys()
    await candidates.drop(tx, {one.id for one in before} - unchanged)
    members = {person.key: person.members for person in people}
    ids = {
        one.id: _ids(one, members[one.candidate.person], rules.policies) for one in after.values()
    }
    decided = await decisions.load_decided(tx, {id_ for all_ in ids.values() for id_ in all_})
    await candidates.drop(tx, {id_ for id_ in unchanged if not decided.isdisjoint(ids[id_])})
    await candidates.put(tx, [one for one in after.values() if decided.isdisjoint(ids[one.id])])


def waiting_of(days: Sequence[Candidate], rules: Rules) -> dict[bytes, Waiting]:
    """Days of the calendar, which are nobody's event."""
    found = [_waiting(one, one.person, rules) for one in days]
    return {one.id: one for one in found}


def _waiting(candidate: Candidate, subject: str, rules: Rules) -> Waiting:
    trigger = rules.triggers[candidate.trigger]
    shadow = candidate.trigger in rules.shadow
    return Waiting(_id(candidate, rules.policies), candidate, trigger.rank, subject, shadow)


def _keep(new: dict[bytes, Waiting], one: Waiting, rules: Rules) -> None:
    if _takes_its_place(new.get(one.id), one, rules):
        new[one.id] = one


def _takes_its_place(known: Waiting | None, new: Waiting, rules: Rules) -> bool:
    if known is None:
        return True
    if known.shadow != new.shadow and known.candidate.version != new.candidate.version:
        # A shadow takes nobody from the version that pauses meanwhile, and keeps nobody from it.
        return known.shadow
    return restarts(rules.triggers[new.candidate.trigger], known.candidate, new.candidate)


def _moved(one: Waiting, person: str, policies: Policies) -> Waiting:
    candidate = replace(one.candidate, person=person)
    return replace(one, id=_id(candidate, policies), candidate=candidate)


def _id(candidate: Candidate, policies: Policies) -> bytes:
    return decision_key(policies.tenant, candidate.trigger, candidate.person, candidate.anchor)


def _ids(one: Waiting, members: Collection[str], policies: Policies) -> tuple[bytes, ...]:
    """Under every id of the person. Most people have one, and that is worked out already."""
    it = one.candidate
    if members == (it.person,):
        return (one.id,)
    return tuple(decision_key(policies.tenant, it.trigger, who, it.anchor) for who in members)

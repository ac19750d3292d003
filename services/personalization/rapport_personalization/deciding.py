"""Decides on what is due: locks the people, asks the gates, and writes down what came of it."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rapport_privacy.crypto import DataKey
from rapport_privacy.keyring import Keyring, KeyringUnavailableError
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.failpoint import failpoint
from rapport_runtime.people import Persons, lock_persons
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_personalization import candidates, decisions, offers, store, turns
from rapport_personalization.candidates import Waiting
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.moment import Moment
from rapport_personalization.effects import Given, tell
from rapport_personalization.rules import Rulebook, Rules
from rapport_personalization.turns import Known, Turn

_WHO_IS_DUE: Final = f"""
SELECT person::text FROM candidate WHERE send_at <= $1 AND {decisions.GOES_ON}
ORDER BY send_at LIMIT $4
"""  # noqa: S608 - ours

_NEXT: Final = """
SELECT send_at FROM candidate
WHERE trigger NOT IN (SELECT trigger FROM trigger_version WHERE state = 'paused')
    OR (trigger, version) IN (
        SELECT trigger, version::text FROM trigger_version WHERE state IN ('live', 'shadow')
    )
ORDER BY send_at LIMIT 1
"""

_FREE: Final = """
SELECT subject_id::text FROM person_subject WHERE subject_id = ANY($1::text[]::uuid[])
ORDER BY subject_id FOR UPDATE SKIP LOCKED
"""
"""Whoever changes or decides about somebody has locked them; their turn comes soon enough."""

Ready = Callable[[AsyncConnection], Awaitable[bool]]


async def _always(_: AsyncConnection) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Decider:
    """What is needed to decide."""

    engine: AsyncEngine
    keyring: Keyring
    rulebook: Rulebook
    batch: int
    ready: Ready = _always
    """Whether all that has happened by now is known."""


async def decide_all_due(decider: Decider) -> float | None:
    """Until nothing is left that could be decided on now; in how many seconds the next falls due.

    Not in the future: they are others' at the moment, or more has to be known first.
    """
    while await decide_due(decider) >= decider.batch:
        continue
    async with decider.engine.connect() as tx:
        next_due: datetime | None = await (await driver(tx)).fetchval(_NEXT)
    return None if next_due is None else (next_due - datetime.now(UTC)).total_seconds()


async def decide_due(decider: Decider, now: datetime | None = None) -> int:
    """One transaction's worth of decisions; how many candidates were looked at for it.

    `now`: the clock, where it is not that on the wall.
    """
    instant = now or datetime.now(UTC)
    async with decider.engine.begin() as tx:
        rules = await decider.rulebook.load(tx)
        found = await (await driver(tx)).fetch(
            _WHO_IS_DUE, instant, *decisions.held_back(rules.paused), decider.batch
        )
        if not found or not await decider.ready(tx):
            return 0
    wanted = sorted({row[0] for row in found})
    keys = await _keys(decider.keyring, wanted)
    failpoint("before_deciding")
    async with decider.engine.begin() as tx:
        free = [row[0] for row in await (await driver(tx)).fetch(_FREE, wanted)]
        if not free:
            return 0
        people = await lock_persons(tx, free)
        await _decide(tx, decider, rules, people, wanted, keys, instant)
        failpoint("before_decisions_commit")
    failpoint("after_decisions_commit")
    return len(found)


async def _keys(keyring: Keyring, persons: Collection[str]) -> Mapping[str, DataKey]:
    """Asked for before the transaction: they are in another database."""
    try:
        found = await keyring.keys_of(persons)
    except KeyringUnavailableError as error:
        raise ConnectionError("the keyring is away") from error
    return {person: key for person, key in found.items() if isinstance(key, DataKey)}


async def _decide(
    tx: AsyncConnection,
    decider: Decider,
    rules: Rules,
    people: Persons,
    asked: Collection[str],
    keys: Mapping[str, DataKey],
    now: datetime,
) -> None:
    # Who has just been merged has another key than was asked for: the next turn is theirs.
    persons = [one.key for one in people if one.key in asked]
    due = await decisions.load_due(tx, persons, now, rules.paused)
    of_person = _by_person(due)
    wanted = {(one.candidate.trigger, one.candidate.version) for one in due}
    triggers = await decider.rulebook.versions(tx, wanted)
    budgets = await offers.lock_budgets(tx, list(triggers.values()), rules.policies, now)
    known = await _known(tx, people, of_person)
    turns_ = [
        turns.take_turn(
            person,
            of_person[key],
            triggers,
            rules.policies,
            budgets,
            now,
        )
        for key, (person, _) in known.items()
    ]
    seqs = {key: seq for key, (_, seq) in known.items()}
    await _write(tx, turns_, seqs, decider.keyring, keys, now)


def _by_person(due: Iterable[Waiting]) -> dict[str, list[Waiting]]:
    found: dict[str, list[Waiting]] = defaultdict(list)
    for one in due:
        found[one.candidate.person].append(one)
    return found


async def _known(
    tx: AsyncConnection, people: Persons, due: Mapping[str, Sequence[Waiting]]
) -> dict[str, tuple[Known, int]]:
    """What is known of everybody who is due, and the greatest number of their moments."""
    by_key = {one.key: one.members for one in people if one.key in due}
    states = await store.load_customers(tx, by_key)
    history = await _histories(tx, by_key, states, due)
    past = await decisions.load_past(tx, by_key)
    found = {}
    for key, members in by_key.items():
        moments, newest = history.get(key, (None, 0))
        customer, seq = states.get(key, (None, newest))
        if customer is None:
            customer = folded(key, moments or ())
        mine = past.get(key, [])
        found[key] = (
            Known(
                members,
                customer,
                moments,
                [one for _, one in mine],
                frozenset(id_ for id_, _ in mine),
            ),
            seq,
        )
    return found


async def _histories(
    tx: AsyncConnection,
    by_key: Mapping[str, tuple[str, ...]],
    states: Mapping[str, tuple[Customer, int]],
    due: Mapping[str, Sequence[Waiting]],
) -> dict[str, tuple[list[Moment], int]]:
    """Of those of whom more is known by now than was at the candidate's time."""
    wanted = [
        key for key in by_key if key not in states or turns.needs_history(states[key][0], due[key])
    ]
    if not wanted:
        return {}
    members = [member for key in wanted for member in by_key[key]]
    loaded = await store.load_history(tx, members)
    found = {}
    for key in wanted:
        of_members = [loaded[member] for member in by_key[key] if member in loaded]
        moments = [moment for part, _ in of_members for moment in part]
        found[key] = (moments, max((seq for _, seq in of_members), default=0))
    return found


async def _write(
    tx: AsyncConnection,
    done: Iterable[Turn],
    seqs: Mapping[str, int],
    keyring: Keyring,
    keys: Mapping[str, DataKey],
    now: datetime,
) -> None:
    told: list[Derived] = []
    rows: list[decisions.Row] = []
    issued = []
    gone: set[bytes] = set()
    postponed: list[Waiting] = []
    for turn in done:
        gone.update(turn.dropped, (one.id for one, _, _ in turn.decided))
        postponed += turn.postponed
        for one, decision, trigger in turn.decided:
            given: Given | None = None
            if trigger.offer is not None and decision.effect is not None:
                given = offers.give(decision, trigger.offer, keyring)
                issued.append((decision, given))
            key = keys.get(decision.person)
            told += tell(decision, one.candidate, trigger, key, given)
            rows.append(decisions.Row(one, decision, given, seqs[decision.person]))
    await decisions.add(tx, rows, now)
    await candidates.drop(tx, gone)
    await candidates.put(tx, postponed)
    await offers.issue(tx, issued)
    await outbox.add(tx, told)

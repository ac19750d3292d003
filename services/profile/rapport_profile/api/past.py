"""From the name that a caller gives to the person as they were."""

from collections.abc import Collection, Sequence

from rapport_runtime.pool import Snapshot

from rapport_profile import edges, queries
from rapport_profile.api.people import (
    SHOWN,
    AmbiguousRefError,
    CustomerNotFoundError,
    locate,
    readable,
)
from rapport_profile.api.visit import Moment, Visit
from rapport_profile.domain.identity import partition
from rapport_profile.history import When, load_past
from rapport_profile.queries import Person
from rapport_profile.reader import Stored
from rapport_profile.ref import Ref


async def read_past(
    visit: Visit, named: Ref, parts: Collection[str], when: When
) -> tuple[Moment, Person, Sequence[Stored]]:
    """The person at the moment, and the events that tell their traits.

    Raises what `subjects_of` and `members_at` raise.
    """
    subjects = await subjects_of(visit, named)
    async with visit.snapshot(when) as (snap, moment):
        members = await members_at(visit, snap, named, subjects, when)
        past = await load_past(snap, members, when)
    trait_events = past.trait_events if "traits" in parts else ()
    return moment, Person(members[0], members, past.profile), trait_events


async def subjects_of(visit: Visit, named: Ref) -> Sequence[str]:
    """The subjects that the name leads to, merged or not; several where things share an id.

    Names are looked up as they are known now, whatever moment is asked for.
    Raises CustomerNotFoundError, KeyringUnavailableError.
    """
    if not named.is_thing:
        return [await locate(visit, named)]
    found = await queries.load_subjects(visit.library.pool, named.kind, named.value, SHOWN)
    if not found:
        raise CustomerNotFoundError(named.kind)
    return found


async def members_at(
    visit: Visit, snap: Snapshot, named: Ref, subjects: Sequence[str], when: When
) -> Sequence[str]:
    """Everybody who was one person with the subjects, as known at the moment; the root first.

    Raises CustomerNotFoundError; CustomerErasedError, for whoever was erased is so at any moment;
    AmbiguousRefError.
    """
    people = await queries.load_people(snap, subjects)
    living = [readable(people.get(subject), named) for subject in subjects]
    if when.known_at is None:
        persons = {tuple(person.members) for person in living}
    else:
        cluster = await edges.load_cluster(snap, subjects)
        known = partition(cluster, visit.library.limits, when.known_at)
        persons = {known.person_of(subject) for subject in subjects}
    if len(persons) > 1:
        raise AmbiguousRefError(named.kind, sorted(person[0] for person in persons))
    return persons.pop()

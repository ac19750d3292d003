"""Finding customers by what they are called, by what is theirs, and by where they stand."""

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Annotated, Final, NamedTuple

import asyncpg
from fastapi import APIRouter, Query, Request, Response
from rapport_privacy.crypto import Erased
from rapport_runtime.http.consistency import NotYetVisibleError
from rapport_runtime.http.paging import decode_cursor, encode_cursor, next_link
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Snapshot
from rapport_runtime.progress import read_positions

from rapport_profile import finding, names, queries
from rapport_profile.api.criteria import Criteria, NoCriterionError, SearchTooSlowError
from rapport_profile.api.people import is_erased
from rapport_profile.api.visit import PROJECTOR, Moment, OpenVisit, Visit
from rapport_profile.domain.lifecycle import stage
from rapport_profile.domain.names import LONGEST, SHORTEST, are_begun, words
from rapport_profile.domain.names import names as names_among
from rapport_profile.finding import ANYBODY, Filters, Found
from rapport_profile.mask import Mask
from rapport_profile.queries import Person
from rapport_profile.reader import Stored, open_events
from rapport_profile.ref import Ref
from rapport_profile.schemas.search import HitsView, HitView
from rapport_profile.traits import fold_traits
from rapport_profile.views.profile import Seen, view
from rapport_profile.views.service import is_unresolved

router = APIRouter(prefix="/v1/profiles", tags=["profiles"])

_PARTS: Final = frozenset({"identities", "traits", "lifecycle"})
_MOST_OWNERS: Final = 1_000


class _Asked(NamedTuple):
    """What must be true of a customer who is found."""

    refs: Sequence[Ref]
    words: Sequence[str]
    filters: Filters


@router.get("", summary="Find customers", responses={200: {"model": HitsView}})
async def search_profiles(
    request: Request, visit: OpenVisit, criteria: Annotated[Criteria, Query()]
) -> Response:
    asked = _Asked(criteria.refs(), criteria.words(), criteria.filters())
    if not any((asked.refs, asked.words, asked.filters != ANYBODY)):
        raise NoCriterionError
    if asked.words:
        await _may_ask_for_names(visit)
    query = criteria.model_dump_json(exclude={"cursor", "limit"})
    after = decode_cursor(criteria.cursor, query, length=1)[0] if criteria.cursor else ""
    located = await _locate_all(visit, asked.refs)
    async with visit.snapshot() as (snap, moment):
        found = await _find(visit, snap, asked, located, (str(after), criteria.limit))
        known = await queries.load_people(snap, found.roots)
        people = [one for root in found.roots if (one := known.get(root)) and not is_erased(one)]
        traits = await finding.load_traits(snap, people)
    mask = visit.mask()
    seen = await _see(visit, moment, people, traits)
    hits = [_hit(person, one, mask) for person, one in seen if _is_meant(one, asked)]
    cursor = None if found.next is None else encode_cursor([found.next], query)
    await visit.record("search", [hit.subject for hit in hits], _PARTS)
    return answer(
        HitsView(profiles=hits, next_cursor=cursor, meta=moment.meta(mask)),
        None if cursor is None else next_link(request, cursor),
    )


async def _may_ask_for_names(visit: Visit) -> None:
    """Raises MissingScopeError: letter by letter, a search would tell the name of anybody.

    And NotYetVisibleError: whoever brings a token finds the names that it is about.
    """
    visit.principal.require("profile:pii")
    consistency, library = visit.consistency, visit.library
    if consistency.positions and not await names.is_level(library.pool, consistency.wait_seconds):
        reached = await read_positions(library.engine, PROJECTOR)
        raise NotYetVisibleError(consistency.wait_seconds, reached)


async def _find(
    visit: Visit, snap: Snapshot, asked: _Asked, located: dict[Ref, str], page: tuple[str, int]
) -> Found:
    """Who may be meant, after a subject. Raises SearchTooSlowError."""
    after, limit = page
    if asked.refs:
        roots = await _matching(snap, asked.refs, located)
        if asked.filters != ANYBODY:
            roots = await finding.among(snap, roots, asked.filters)
        return finding.page([root for root in roots if root > after], limit)
    await finding.bound(snap)
    try:
        if not asked.words:
            return await finding.by_facet(snap, asked.filters, after, limit)
        begun = {word[:LONGEST] for word in asked.words if len(word) >= SHORTEST}
        tokens = [names.token(visit.library.keyring, one) for one in sorted(begun)]
        return await finding.by_name(snap, tokens, asked.filters, after, limit)
    except asyncpg.QueryCanceledError as error:
        raise SearchTooSlowError from error


async def _locate_all(visit: Visit, refs: Sequence[Ref]) -> dict[Ref, str]:
    """The subjects of the identifiers among the criteria."""
    named = [(ref.kind, ref.value) for ref in refs if ref.is_identifier]
    found = await visit.library.keyring.find_many(named) if named else {}
    located = {Ref(*name): subject for name, subject in found.items()}
    return located | {ref: ref.value for ref in refs if ref.is_subject}


async def _matching(snap: Snapshot, refs: Sequence[Ref], located: dict[Ref, str]) -> Sequence[str]:
    """The persons whom every criterion names, in order of subject id."""
    known = await queries.load_people(snap, list(located.values()))
    named: list[set[str]] = []
    for ref in refs:
        if ref.is_thing:
            owners = await queries.load_owners(snap, ref.kind, ref.value, _MOST_OWNERS)
            named.append(set(owners))
        else:
            person = known.get(located.get(ref, ""))
            named.append(set() if person is None else {person.subject})
    return sorted(set.intersection(*named))


async def _see(
    visit: Visit, moment: Moment, people: Sequence[Person], traits: Mapping[str, Sequence[Stored]]
) -> list[tuple[Person, Seen]]:
    """Opens what the hits are made of, with two questions to the keyring for all of them."""
    keyring = visit.library.keyring
    members = [member for person in people for member in person.members]
    identifiers = await keyring.identifiers(members) if members else {}
    told = [traits.get(person.subject, ()) for person in people]
    opened = iter(await open_events(keyring, chain.from_iterable(told)))
    return [
        (
            person,
            Seen(
                subjects=person.members,
                profile=person.profile,
                identifiers=identifiers,
                trait_events=list(islice(opened, len(events))),
                opened={},
                now=moment.now,
            ),
        )
        for person, events in zip(people, told, strict=True)
    ]


def _is_meant(seen: Seen, asked: _Asked) -> bool:
    """Whether it is true at this moment, too: an index may still know what somebody was before."""
    if _is_erased(seen):
        return False
    wanted = asked.filters.stage
    if wanted is not None and stage(seen.profile.purchase_times, seen.now) != wanted:
        return False
    return not asked.words or are_begun(_name_words(seen), asked.words)


def _is_erased(seen: Seen) -> bool:
    """Erased in the keyring a moment ago, and not yet here."""
    nameless = not any(seen.identifiers.get(subject) for subject in seen.subjects)
    return nameless and any(isinstance(event.personal, Erased) for event in seen.trait_events)


def _name_words(seen: Seen) -> list[str]:
    told = fold_traits(seen.profile.traits, seen.trait_events)
    current = names_among({name: trait.value for name, trait in told.items()})
    return [word for name in current for word in words(name)]


def _hit(person: Person, seen: Seen, mask: Mask) -> HitView:
    profile, root = person.profile, person.subject
    return HitView(
        subject=root,
        subjects=list(person.members),
        url=f"/v1/profiles/{root}",
        first_seen=profile.first_seen,
        last_seen=profile.last_seen,
        orders=len(profile.purchase_times),
        open_tickets=sum(map(is_unresolved, profile.tickets.values())),
        **view(seen, _PARTS, mask),
    )

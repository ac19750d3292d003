"""Finding customers by what they are called and by what is theirs."""

from collections.abc import Sequence
from itertools import chain, islice
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from rapport_runtime.http.paging import MOST, decode_cursor, encode_cursor, next_link
from rapport_runtime.http.problems import ApiError, FieldError

from rapport_profile import queries
from rapport_profile.api.people import is_erased
from rapport_profile.api.visit import Moment, OpenVisit, Visit, answer
from rapport_profile.mask import Mask
from rapport_profile.queries import Person, Snapshot
from rapport_profile.reader import Stored, open_events
from rapport_profile.ref import Ref, criterion, parse_ref
from rapport_profile.schemas.search import HitsView, HitView
from rapport_profile.views.profile import Seen, view
from rapport_profile.views.service import is_unresolved

router = APIRouter(prefix="/v1/profiles", tags=["profiles"])

_PARTS: Final = frozenset({"identities", "traits", "lifecycle"})
_MOST_OWNERS: Final = 1_000

_Value = Annotated[str | None, Field(max_length=300)]


class Criteria(BaseModel):
    """The query string of a search. All criteria must name the same customer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: _Value = None
    phone: _Value = None
    user_id: _Value = None
    anonymous_id: _Value = None
    order: _Value = None
    ticket: _Value = None
    call: _Value = None
    identifier: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[],
        max_length=10,
        description="Any other identifier, as kind:value",
        examples=[["loyalty_id:L-77"]],
    )
    cursor: str | None = Field(default=None, max_length=2_048)
    limit: int = Field(default=20, ge=1, le=MOST)

    def refs(self) -> list[Ref]:
        """Raises MalformedRefError."""
        given = self.model_dump(exclude={"identifier", "cursor", "limit"}, exclude_none=True)
        named = [criterion(kind, value, name=kind) for kind, value in given.items()]
        others = [parse_ref(text, name="identifier", place="query") for text in self.identifier]
        return [*named, *others]


class NoCriterionError(ApiError):
    """A search without criteria would list everybody."""

    status_code = 422

    def __init__(self) -> None:
        known = ", ".join(name for name in Criteria.model_fields if name not in {"cursor", "limit"})
        super().__init__(
            f"give at least one of {known}",
            errors=[FieldError("", f"one of {known} is needed", "no_criterion", "query")],
        )


@router.get("", summary="Find customers", responses={200: {"model": HitsView}})
async def search_profiles(
    request: Request, visit: OpenVisit, criteria: Annotated[Criteria, Query()]
) -> Response:
    refs = criteria.refs()
    if not refs:
        raise NoCriterionError
    filters = criteria.model_dump_json(exclude={"cursor", "limit"})
    after = decode_cursor(criteria.cursor, filters, length=1)[0] if criteria.cursor else ""
    located = await _locate_all(visit, refs)
    async with visit.snapshot() as (snap, moment):
        rest = [root for root in await _matching(snap, refs, located) if root > str(after)]
        page = rest[: criteria.limit]
        known = await queries.load_people(snap, page)
        people = [known[root] for root in page if not is_erased(known[root])]
        traits = [await queries.load_trait_events(snap, person.members) for person in people]
    mask = visit.mask()
    seen = await _see(visit, moment, people, traits)
    hits = [_hit(person, one, mask) for person, one in zip(people, seen, strict=True)]
    cursor = encode_cursor([page[-1]], filters) if len(rest) > len(page) else None
    await visit.record("search", [person.subject for person in people], _PARTS)
    return answer(
        HitsView(profiles=hits, next_cursor=cursor, meta=moment.meta(mask)),
        None if cursor is None else next_link(request, cursor),
    )


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
    visit: Visit, moment: Moment, people: Sequence[Person], traits: Sequence[Sequence[Stored]]
) -> list[Seen]:
    """Opens what the hits are made of, with two questions to the keyring for all of them."""
    keyring = visit.library.keyring
    members = [member for person in people for member in person.members]
    identifiers = await keyring.identifiers(members) if members else {}
    opened = iter(await open_events(keyring, chain.from_iterable(traits)))
    return [
        Seen(
            subjects=person.members,
            profile=person.profile,
            identifiers=identifiers,
            trait_events=list(islice(opened, len(events))),
            opened={},
            now=moment.now,
        )
        for person, events in zip(people, traits, strict=True)
    ]


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

"""Reading one customer."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from rapport_privacy.keyring import KnownIdentifier
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer

from rapport_profile import queries
from rapport_profile.api.issues import NOTHING, find_open_issues
from rapport_profile.api.moments import PastQuery
from rapport_profile.api.past import read_past
from rapport_profile.api.people import locate, readable
from rapport_profile.api.visit import Moment, OpenVisit, Visit
from rapport_profile.mask import Mask
from rapport_profile.queries import Person
from rapport_profile.reader import Stored, open_events
from rapport_profile.ref import Ref, parse_ref
from rapport_profile.schemas.profile import PARTS, ProfileView
from rapport_profile.views.profile import Seen, view, worded_events

router = APIRouter(prefix="/v1/profiles", tags=["profiles"])

RefPath = Annotated[
    str,
    Path(
        max_length=600,
        description="Subject id, or kind:value: email:… phone:… user_id:… anonymous_id:… any "
        "external id, order:… ticket:… call:…",
        examples=["email:ada@example.com"],
    ),
]


class ProfileQuery(PastQuery):
    """The query string of the profile route."""

    include: str | None = Field(
        default=None,
        max_length=500,
        description="Parts to answer, comma-separated; all when absent. "
        f"Parts: {', '.join(sorted(PARTS))}",
        examples=["identities,traits,tickets"],
    )


class UnknownPartError(ApiError):
    """`include` names a part that the view does not have."""

    status_code = 422

    def __init__(self, part: str) -> None:
        close = get_close_matches(part, PARTS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(PARTS))}"
        reason = f"the view has no such part; {hint}"
        super().__init__(
            f"include: {reason}", errors=[FieldError("/include", reason, "unknown_part", "query")]
        )


def parse_include(include: str | None) -> Collection[str]:
    """Raises UnknownPartError."""
    if include is None:
        return PARTS
    parts = {part for part in include.replace(" ", "").split(",") if part}
    for part in sorted(parts - PARTS):
        raise UnknownPartError(part)
    return parts or PARTS


@router.get("/{ref:path}", summary="Read one customer", responses={200: {"model": ProfileView}})
async def read_profile(
    ref: RefPath, visit: OpenVisit, query: Annotated[ProfileQuery, Query()]
) -> Response:
    named, parts, when = parse_ref(ref), parse_include(query.include), query.when()
    if when.is_now:
        moment, person, trait_events = await _read_now(visit, named, parts)
    else:
        moment, person, trait_events = await read_past(visit, named, parts, when)
    shown = await portray(visit, moment, person, trait_events, parts, visit.mask())
    await visit.record("profile", [person.subject], parts)
    return answer(shown)


async def portray(
    visit: Visit,
    moment: Moment,
    person: Person,
    trait_events: Sequence[Stored],
    parts: Collection[str],
    mask: Mask,
) -> ProfileView:
    """The view of one person. Raises KeyringUnavailableError."""
    worded = await queries.load_events(visit.library.pool, worded_keys(person, parts))
    seen = await see(visit, moment, person, parts, trait_events, worded)
    if len(trait_events) == queries.MOST_TRAIT_EVENTS:
        mask.partial.add("traits")
    return ProfileView(
        subject=person.subject,
        subjects=list(person.members),
        first_seen=person.profile.first_seen,
        last_seen=person.profile.last_seen,
        **view(seen, parts, mask),
        meta=moment.meta(mask),
    )


async def _read_now(
    visit: Visit, named: Ref, parts: Collection[str]
) -> tuple[Moment, Person, Sequence[Stored]]:
    """The person as the projection has them, and the events that tell their traits."""
    subject = await locate(visit, named)
    moment, found = await visit.look(subject, with_traits="traits" in parts)
    return moment, readable(found.person, named), found.trait_events


def worded_keys(person: Person, parts: Collection[str]) -> Collection[bytes]:
    """Keys of the events whose words the parts show."""
    return {bytes.fromhex(key) for key in worded_events(person.profile, parts)}


async def see(
    visit: Visit,
    moment: Moment,
    person: Person,
    parts: Collection[str],
    trait_events: Sequence[Stored],
    worded: Sequence[Stored],
) -> Seen:
    """Opens what the view is made of. Raises KeyringUnavailableError."""
    keyring = visit.library.keyring
    # In this order: who asks for names gets the keys with them, so the events cost no second look.
    identifiers = await keyring.identifiers(person.members) if "identities" in parts else {}
    if (known_at := moment.when.known_at) is not None:
        identifiers = known_by(identifiers, known_at)
    found = await find_open_issues(visit, moment, person) if "issues" in parts else NOTHING
    told = [*worded, *found.worded(found.issues)]
    opened = await open_events(keyring, [*trait_events, *told])
    return Seen(
        subjects=person.members,
        profile=person.profile,
        identifiers=identifiers,
        trait_events=opened[: len(trait_events)],
        opened={one.stored.key.hex(): one for one in opened[len(trait_events) :]},
        issues=found.issues,
        has_more_issues=found.is_cut,
        now=moment.instant,
    )


def known_by(
    identifiers: Mapping[str, Sequence[KnownIdentifier]], known_at: datetime
) -> dict[str, list[KnownIdentifier]]:
    """Those that had been heard of at the moment."""
    return {
        subject: [one for one in found if one.since <= known_at]
        for subject, found in identifiers.items()
    }

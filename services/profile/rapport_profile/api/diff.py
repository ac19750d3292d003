"""What changed of one customer between two moments."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from rapport_privacy.keyring import KnownIdentifier
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer

from rapport_profile import queries
from rapport_profile.api.moments import Instant, in_order, moment
from rapport_profile.api.past import members_at, subjects_of
from rapport_profile.api.profiles import RefPath, known_by, parse_include
from rapport_profile.api.visit import Moment, OpenVisit, Visit
from rapport_profile.compare import Causes, Compared, Picture, Side, compare, load_joints
from rapport_profile.history import When
from rapport_profile.mask import Mask
from rapport_profile.reader import Opened, open_events
from rapport_profile.ref import Ref, parse_ref
from rapport_profile.schemas.history import DifferenceView, DiffView, MomentView
from rapport_profile.views import changes as views
from rapport_profile.views.profile import Seen

router = APIRouter(prefix="/v1/profiles", tags=["profiles"])

_BACKWARDS: Final = "the earlier moment comes first"


class DiffQuery(BaseModel):
    """The query string of the diff route."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: Instant | None = Field(
        default=None,
        alias="from",
        description="The earlier picture: what had happened by this instant, RFC 3339",
        examples=["2026-03-01T12:00:00Z"],
    )
    until: Instant | None = Field(
        default=None, alias="to", description="The later picture; absent: now"
    )
    known_from: Instant | None = Field(
        default=None,
        description="The earlier picture as it was known at this instant; absent: as `known_to`",
    )
    known_to: Instant | None = Field(
        default=None, description="The later picture as it was known at this instant; absent: now"
    )
    include: str | None = Field(
        default=None,
        max_length=500,
        description="Parts to compare, comma-separated; all when absent. `issues` is not "
        "compared: issues follow from the other parts",
        examples=["tickets,orders"],
    )

    def moments(self) -> tuple[When, When]:
        """The two moments.

        With `known_from` alone nothing that happened is held back: what was learned since.
        Raises NoEarlierMomentError, MomentInFutureError, MomentsOutOfOrderError.
        """
        if self.since is None and self.known_from is None:
            raise NoEarlierMomentError
        before = moment(
            self.since or self.until, self.known_from or self.known_to, ("from", "known_from")
        )
        after = moment(self.until, self.known_to, ("to", "known_to"))
        in_order(self.since, self.until, ("from", "to"), _BACKWARDS)
        in_order(self.known_from, self.known_to, ("known_from", "known_to"), _BACKWARDS)
        return before, after


class NoEarlierMomentError(ApiError):
    """One moment has no difference to anything."""

    status_code = 422

    def __init__(self) -> None:
        reason = "name the earlier moment: from, known_from, or both"
        super().__init__(reason, errors=[FieldError("/from", reason, "missing", "query")])


class _Between(NamedTuple):
    """All that a diff is made of, of one moment of the database."""

    moment: Moment
    sides: tuple[Side, Side]
    found: Compared
    joints: Mapping[str, Causes]


@router.get(
    "/{ref:path}/diff",
    summary="Read what changed of one customer between two moments",
    responses={200: {"model": DiffView}},
)
async def read_diff(
    ref: RefPath, visit: OpenVisit, query: Annotated[DiffQuery, Query()]
) -> Response:
    named, parts, (one, other) = parse_ref(ref), parse_include(query.include), query.moments()
    between = await _look(visit, named, one, other)
    mask = visit.mask()
    changes = await _changes(visit, between, parts, mask)
    before, after = (_shown(between.moment, side) for side in between.sides)
    people = dict.fromkeys((after.subject, before.subject))
    await visit.record("diff", people, parts)
    return answer(
        DiffView(
            subject=after.subject,
            before=before,
            after=after,
            changes=changes,
            meta=between.moment.meta(mask),
        )
    )


async def _look(visit: Visit, named: Ref, one: When, other: When) -> _Between:
    subjects = await subjects_of(visit, named)
    async with visit.snapshot(other) as (snap, moment):
        before = Side(await members_at(visit, snap, named, subjects, one), one)
        after = Side(await members_at(visit, snap, named, subjects, other), other)
        joints: Mapping[str, Causes] = {}
        if before.members != after.members:
            joints = await load_joints(snap, before, after)
        found = await compare(snap, before, after)
    return _Between(moment, (before, after), found, joints)


async def _changes(
    visit: Visit, between: _Between, parts: Collection[str], mask: Mask
) -> dict[str, dict[str, DifferenceView]]:
    """The differences by part; parts without any are left out."""
    found = between.found
    chosen = views.select(found, parts, mask)
    before, after = await _see(visit, between, parts, views.worded(chosen))
    shown = views.differences(chosen, found, before, after, mask)
    shown["subjects"] = views.subject_differences(before, after, between.joints)
    if "identities" in parts:
        shown["identities"] = views.identity_differences(before, after, mask)
    if "lifecycle" in parts:
        shown["lifecycle"] = views.stage_difference(found, before, after)
    if "traits" in parts:
        if queries.MOST_TRAIT_EVENTS in (len(before.trait_events), len(after.trait_events)):
            mask.partial.add("traits")
        shown["traits"] = views.trait_differences(found, before, after, mask)
    return {part: changes for part, changes in sorted(shown.items()) if changes}


async def _see(
    visit: Visit, between: _Between, parts: Collection[str], worded: Collection[bytes]
) -> tuple[Seen, Seen]:
    """Opens what both pictures are made of. Raises KeyringUnavailableError."""
    keyring, found = visit.library.keyring, between.found
    members = {member for side in between.sides for member in side.members}
    identifiers = await keyring.identifiers(members) if "identities" in parts else {}
    told = {one.key: one for one in (*found.before.trait_events, *found.after.trait_events)}
    rows = {one.key: one for one in await queries.load_events(visit.library.pool, worded)}
    if "traits" in parts:
        rows |= told
    opened = {one.stored.key: one for one in await open_events(keyring, rows.values())}
    before, after = between.sides
    now = between.moment.now
    return (
        _seen(before, found.before, identifiers, opened, before.when.instant(now)),
        _seen(after, found.after, identifiers, opened, after.when.instant(now)),
    )


def _seen(
    side: Side,
    picture: Picture,
    identifiers: Mapping[str, Sequence[KnownIdentifier]],
    opened: Mapping[bytes, Opened],
    now: datetime,
) -> Seen:
    known_at = side.when.known_at
    return Seen(
        subjects=side.members,
        profile=picture.profile,
        identifiers=identifiers if known_at is None else known_by(identifiers, known_at),
        trait_events=[opened[one.key] for one in picture.trait_events if one.key in opened],
        opened={key.hex(): one for key, one in opened.items()},
        now=now,
    )


def _shown(moment: Moment, side: Side) -> MomentView:
    return MomentView(
        at=side.when.instant(moment.now),
        as_of=side.when.as_of,
        known_at=side.when.known_at,
        subject=side.members[0],
        subjects=list(side.members),
    )

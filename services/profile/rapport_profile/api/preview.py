"""What a merge would make of two people, told before anybody does it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fastapi import APIRouter, Response
from rapport_privacy.keyring import KnownIdentifier
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import answer

from rapport_profile import queries
from rapport_profile.api.people import locate, readable
from rapport_profile.api.profiles import portray, see
from rapport_profile.api.visit import Moment, OpenVisit, Visit
from rapport_profile.domain.identity import Edge
from rapport_profile.domain.merging import Rehearsal, rehearse
from rapport_profile.edges import load_cluster
from rapport_profile.history import NOW, Past, load_past
from rapport_profile.queries import Person
from rapport_profile.reader import Stored
from rapport_profile.ref import parse_ref
from rapport_profile.schemas.preview import PreviewView, TwoProfiles
from rapport_profile.schemas.profile import PARTS
from rapport_profile.views import preview as views
from rapport_profile.views.identity import kinds, named_by, side, to_merge

router = APIRouter(prefix="/v1", tags=["identity"], route_class=JsonRoute)

_COMPARED = frozenset({"traits"})


class AlreadyOnePersonError(ApiError):
    """Both names lead to the same person: there is nothing to merge."""

    status_code = 409

    def __init__(self, subject: str) -> None:
        super().__init__(
            "both names lead to the same person; read their links to see why",
            members={"subject": subject},
        )


class _Scene(NamedTuple):
    """Everything that a preview is made of, of one moment."""

    moment: Moment
    two: Sequence[Person]
    identifiers: Mapping[str, Sequence[KnownIdentifier]]
    trait_events: Sequence[Sequence[Stored]]
    """Of each of the two."""
    edges: Sequence[Edge]
    rehearsal: Rehearsal
    merged: Past


@router.post(
    "/profiles:preview-merge",
    summary="Show what a merge of two customers would make of them; nothing is written",
    responses={200: {"model": PreviewView}},
)
async def preview_merge(visit: OpenVisit, body: TwoProfiles) -> Response:
    scene = await _look(visit, body.profiles)
    mask, limits = visit.mask(), visit.library.limits
    members = scene.rehearsal.members
    merged = Person(members[0], members, scene.merged.profile)
    result = await portray(
        visit, scene.moment, merged, scene.merged.trait_events, PARTS, visit.mask()
    )
    identifiers = scene.identifiers
    seen = [
        await see(visit, scene.moment, one, _COMPARED, events, ())
        for one, events in zip(
            (*scene.two, merged), (*scene.trait_events, scene.merged.trait_events), strict=True
        )
    ]
    one, other = scene.two
    shown = PreviewView(
        profiles=[side(person, identifiers, mask, "profiles[]") for person in scene.two],
        result=result,
        changes=views.changes(seen[:2], seen[2], scene.rehearsal, mask),
        guards=views.guards(kinds(one, identifiers), kinds(other, identifiers), limits),
        settles=views.merge_names(scene.rehearsal.settled, scene.edges),
        refuses=views.merge_names(scene.rehearsal.refused, scene.edges),
        merge=to_merge(one, other, identifiers, mask, "merge"),
        meta=scene.moment.meta(mask),
    )
    people = [*(person.subject for person in scene.two), *scene.rehearsal.joined]
    await visit.record("preview", people, PARTS)
    return answer(shown)


async def _look(visit: Visit, names: Sequence[str]) -> _Scene:
    """Raises MalformedRefError, AlreadyOnePersonError, and what `locate` and `readable` raise."""
    refs = [
        parse_ref(name, name=f"profiles/{place}", place="body") for place, name in enumerate(names)
    ]
    subjects = [await locate(visit, ref) for ref in refs]
    async with visit.snapshot() as (snap, moment):
        people = await queries.load_people(snap, subjects)
        two = [
            readable(people.get(subject), ref) for subject, ref in zip(subjects, refs, strict=True)
        ]
        one, other = two
        if one.subject == other.subject:
            raise AlreadyOnePersonError(one.subject)
        edges = await load_cluster(snap, [*one.members, *other.members])
        identifiers = await visit.library.keyring.identifiers({*one.members, *other.members})
        named = named_by(one, identifiers), named_by(other, identifiers)
        members, limits = (one.members, other.members), visit.library.limits
        rehearsal = rehearse(edges, members, named, limits, moment.now)
        return _Scene(
            moment=moment,
            two=two,
            identifiers=identifiers,
            trait_events=[await queries.load_trait_events(snap, each.members) for each in two],
            edges=edges,
            rehearsal=rehearsal,
            merged=await load_past(snap, rehearsal.members, NOW),
        )

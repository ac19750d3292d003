"""What a trait of one customer once was."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from rapport_privacy.crypto import Erased
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import answer

from rapport_profile.api.moments import PastQuery
from rapport_profile.api.past import members_at, subjects_of
from rapport_profile.api.profiles import RefPath
from rapport_profile.api.visit import OpenVisit
from rapport_profile.history import MOST_TELLING, load_telling
from rapport_profile.mask import Mask
from rapport_profile.reader import open_events
from rapport_profile.ref import parse_ref
from rapport_profile.schemas.history import TraitHistoryView, ValueView
from rapport_profile.trait_values import Held, tellings, values
from rapport_profile.views.facts import source
from rapport_profile.views.profile import is_plain

router = APIRouter(prefix="/v1/profiles", tags=["profiles"])

_PLACE: Final = "values[].value"

TraitPath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        description="Name of a trait, a preference or a score, as the profile shows it",
        examples=["tier"],
    ),
]


class TraitNotFoundError(ApiError):
    """Nobody has ever said anything of such a trait."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(
            "no event of this customer tells a trait, preference or score of this name; "
            "the profile's parts traits, preferences and scores list those there are"
        )


@router.get(
    "/{ref:path}/traits/{name:path}/history",
    summary="Read every value that one trait of a customer had",
    responses={200: {"model": TraitHistoryView}},
)
async def read_trait_history(
    ref: RefPath, name: TraitPath, visit: OpenVisit, query: Annotated[PastQuery, Query()]
) -> Response:
    named, when = parse_ref(ref), query.when()
    subjects = await subjects_of(visit, named)
    async with visit.snapshot(when) as (snap, moment):
        members = await members_at(visit, snap, named, subjects, when)
        rows = await load_telling(snap, members, when)
    mask = visit.mask()
    opened = await open_events(visit.library.keyring, rows)
    if any(isinstance(event.personal, Erased) for event in opened):
        mask.erased.add("values")
    if len(rows) == MOST_TELLING:
        mask.partial.add("values")
    held = values(one for event in opened for one in tellings(name, event))
    shown = [_value(one, mask) for one in held if _is_known(one, name, mask)]
    if not shown:
        raise TraitNotFoundError
    await visit.record("trait", [members[0]], ["traits"])
    return answer(
        TraitHistoryView(subject=members[0], trait=name, values=shown, meta=moment.meta(mask))
    )


def _is_known(held: Held, name: str, mask: Mask) -> bool:
    """A personal trait with a name of its own kind is there only for who may see its value."""
    return mask.sees_personal or not held.first.is_personal or is_plain(name)


def _value(held: Held, mask: Mask) -> ValueView:
    first = held.first
    return ValueView(
        value=mask.value(_PLACE, first.value) if first.is_personal else first.value,
        part=first.part,
        personal=first.is_personal,
        removed=first.value is None,
        recordedtime=first.recordedtime,
        until=held.until,
        times=held.times,
        last_time=held.last.by.time,
        **source(first.by),
    )

"""What a reader asks for, before anything is read: persons, places, and what cannot be asked."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from rapport_privacy.naming import NotANameError, subject_named
from rapport_runtime.contract import Resources
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.consistency import AskedConsistency, Positions
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import Standing
from rapport_runtime.people import read_persons
from rapport_runtime.pool import Reads
from rapport_runtime.progress import read_positions
from rapport_runtime.standing import load_progress

from rapport_feedback.bounds import EARLIEST, LATEST
from rapport_feedback.consumer import PROJECTOR
from rapport_feedback.desk import Desk
from rapport_feedback.schemas.feedback import FeedbackFilters, Meta

Reader = Annotated[Principal, requires("feedback:read")]
Writer = Annotated[Principal, requires("feedback:write")]


async def _up_to_date(
    request: Request,
    principal: Annotated[Principal, requires("feedback:read")],
    consistency: AskedConsistency,
) -> Principal:
    resources: Resources = request.app.state.resources

    async def reach(token: Positions, seconds: float) -> Positions | None:
        engine = resources.engine
        # A token names the last event, a projector the next one.
        wanted = {place: offset + 1 for place, offset in token.items()}
        if await resources.progress.wait_for(engine, PROJECTOR, wanted, seconds):
            return None
        return await read_positions(engine, PROJECTOR)

    await consistency.honour(reach)
    return principal


PatientReader = Annotated[Principal, Depends(_up_to_date)]
"""A reader who may bring a consistency token: by then what it names is in the answer."""


class CommentsNotSearchableError(ApiError):
    """Somebody looks for words in comments."""

    status_code = 422

    def __init__(self) -> None:
        reason = (
            "comments cannot be searched: each is sealed under its customer's key and in no index, "
            "so that an erasure reaches all of them; filter by topic, about or has_comment"
        )
        super().__init__(f"q: {reason}", errors=[FieldError("/q", reason, "no_search", "query")])


class BadFilterError(ApiError):
    """A filter that makes no sense."""

    status_code = 422

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(
            f"{field}: {reason}", errors=[FieldError(f"/{field}", reason, "bad_filter", "query")]
        )


def check_instants(start: datetime | None, end: datetime | None) -> None:
    """Raises BadFilterError for what no column holds."""
    for name, at in (("from", start), ("to", end)):
        if at is not None and not EARLIEST <= at <= LATEST:
            raise BadFilterError(name, "give an instant from 1970 to 2200")


def check_filters(filters: FeedbackFilters) -> None:
    """Raises CommentsNotSearchableError, BadFilterError."""
    if filters.q is not None:
        raise CommentsNotSearchableError
    check_instants(filters.start, filters.end)
    if filters.start is not None and filters.end is not None and filters.start >= filters.end:
        raise BadFilterError("from", "lies at or after `to`; it is the first instant that counts")


async def customer_of(desk: Desk, named: str | None) -> Sequence[str] | None:
    """All subjects of the person whom a filter names; none when nobody is known by it.

    Raises BadFilterError, KeyringUnavailableError.
    """
    if named is None:
        return None
    try:
        subject = await subject_named(desk.keyring, named)
    except NotANameError as error:
        raise BadFilterError("customer", str(error)) from None
    if subject is None:
        return ()
    return (await read_persons(desk.pool, [subject])).of(subject).members


async def standing(reads: Reads) -> Meta:
    """How current what is read is."""
    said = Standing.of(await load_progress(reads, PROJECTOR), PROJECTOR, datetime.now(UTC))
    return Meta(**said.model_dump())

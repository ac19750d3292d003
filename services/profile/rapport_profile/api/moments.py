"""Which moment a caller asks for: of what happened, and of what was known."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from rapport_events.event import Timestamp
from rapport_runtime.http.problems import ApiError, FieldError

from rapport_profile.history import When

_SPACE_FOR_PLUS: Final = re.compile(r" (?=\d\d:\d\d$)", re.ASCII)

_CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""A caller's "now" may be ahead of ours by this much."""

_REST: Final = timedelta(microseconds=999)


def _unspaced(given: object) -> object:
    """In a query string a bare `+` is a space, as in `?from=2026-03-01T00:00:00+01:00`."""
    return _SPACE_FOR_PLUS.sub("+", given) if isinstance(given, str) else given


Instant = Annotated[Timestamp, BeforeValidator(_unspaced)]


class MomentInFutureError(ApiError):
    """Nobody can tell what has not happened yet."""

    status_code = 422

    def __init__(self, name: str) -> None:
        reason = "this moment is still to come; leave it out for now"
        super().__init__(
            f"{name}: {reason}", errors=[FieldError(f"/{name}", reason, "in_future", "query")]
        )


class MomentsOutOfOrderError(ApiError):
    """Two moments that exclude each other."""

    status_code = 422

    def __init__(self, earlier: str, later: str, reason: str) -> None:
        super().__init__(
            f"{earlier} is after {later}: {reason}",
            errors=[FieldError(f"/{earlier}", reason, "out_of_order", "query")],
        )


class PastQuery(BaseModel):
    """Part of a query string: the moment that is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: Instant | None = Field(
        default=None,
        description="Only what had happened by this instant (RFC 3339 with an offset)",
        examples=["2026-03-01T12:00:00Z"],
    )
    known_at: Instant | None = Field(
        default=None,
        description="Only what was known here at this instant: events accepted by then, and merges "
        "as they stood then",
        examples=["2026-03-01T12:00:00Z"],
    )

    def when(self) -> When:
        """Raises MomentInFutureError, MomentsOutOfOrderError."""
        return moment(self.as_of, self.known_at)


def moment(
    as_of: datetime | None,
    known_at: datetime | None,
    names: tuple[str, str] = ("as_of", "known_at"),
) -> When:
    """A moment that can be answered; `names` are the parameters' own.

    A moment in milliseconds is all of that millisecond: this is how answers tell times, and who
    asks for the time of an event must find it.
    Raises MomentInFutureError, MomentsOutOfOrderError.
    """
    latest = datetime.now(UTC) + _CLOCKS_DIFFER
    for name, given in zip(names, (as_of, known_at), strict=True):
        if given is not None and given > latest:
            raise MomentInFutureError(name)
    in_order(as_of, known_at, names, "nobody knew then what was still to happen")
    return When(_all_of(as_of), _all_of(known_at))


def _all_of(given: datetime | None) -> datetime | None:
    if given is None or given.microsecond % 1_000:
        return given
    return given + _REST


def in_order(
    earlier: datetime | None, later: datetime | None, names: tuple[str, str], reason: str
) -> None:
    """Raises MomentsOutOfOrderError."""
    if earlier is not None and later is not None and earlier > later:
        raise MomentsOutOfOrderError(*names, reason)

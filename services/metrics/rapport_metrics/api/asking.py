"""What a caller asks of a KPI, and what is wrong with it."""

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from rapport_runtime.http.problems import ApiError, FieldError

from rapport_metrics.domain.catalogue import CATALOGUE, Kpi
from rapport_metrics.tables import DIMS
from rapport_metrics.windows import MOST, Grain, TooManyWindowsError, starts

MOST_GROUPS: Final = 2
_DEFAULT_DAYS: Final = 30
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)

_Value = Annotated[str | None, Field(max_length=256)]


class SpanQuery(BaseModel):
    """A span of time, and of which groups: what all questions about a KPI have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: AwareDatetime | None = Field(
        default=None, alias="from", description="First instant, RFC 3339; 30 days before `to`"
    )
    end: AwareDatetime | None = Field(
        default=None, alias="to", description="First instant not counted; now when absent"
    )
    as_of: AwareDatetime | None = Field(
        default=None, description="Only what happened before; now when absent. Whole minutes"
    )
    channel: _Value = None
    team: _Value = None
    agent: _Value = None
    topic: _Value = None
    priority: _Value = None
    about: _Value = None
    segment: _Value = None
    currency: _Value = None

    def filters(self) -> dict[str, str]:
        return {name: value for name in DIMS if (value := getattr(self, name)) is not None}


class KpiQuery(SpanQuery):
    """The query string of a KPI."""

    grain: Grain | None = Field(default=None, description="Absent: one value for all of it")
    group_by: str | None = Field(
        default=None,
        max_length=100,
        description="Up to two dimensions, comma-separated",
        examples=["channel,team"],
    )
    window_days: int | None = Field(
        default=None, ge=1, le=730, description="Of churn: how long an order keeps somebody active"
    )


class UnknownKpiError(ApiError):
    """There is no KPI of this id."""

    status_code = 422

    def __init__(self, given: str) -> None:
        close = get_close_matches(given, CATALOGUE, n=1)
        hint = f"did you mean {close[0]}?" if close else "GET /v1/kpis lists those that there are"
        super().__init__(
            f"kpi: there is no such KPI; {hint}",
            errors=[FieldError("/kpi", f"unknown; {hint}", "unknown_kpi", "path")],
        )


class BadWindowError(ApiError):
    """The span or its windows make no sense."""

    status_code = 422

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(
            f"{field}: {reason}",
            errors=[FieldError(f"/{field}", reason, "bad_window", "query")],
        )


class BadDimensionError(ApiError):
    """A KPI cannot be broken down like this."""

    status_code = 422

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(
            f"{field}: {reason}",
            errors=[FieldError(f"/{field}", reason, "bad_dimension", "query")],
        )


class Span(BaseModel):
    """A span of time in windows: their beginnings, the end of the last, and the asker's now."""

    model_config = ConfigDict(frozen=True)

    starts: list[datetime]
    end: datetime
    as_of: datetime

    def windows(self) -> list[tuple[datetime, datetime]]:
        return list(zip(self.starts, [*self.starts[1:], self.end], strict=True))


def find_kpi(name: str) -> Kpi:
    """Raises UnknownKpiError."""
    kpi = CATALOGUE.get(name)
    if kpi is None:
        raise UnknownKpiError(name)
    return kpi


def span_of(query: SpanQuery, zone: ZoneInfo, now: datetime, grain: Grain | None = None) -> Span:
    """Raises BadWindowError."""
    given = {"from": query.start, "to": query.end, "as_of": query.as_of}
    for name, at in given.items():
        if at is not None:
            _require_reasonable(name, at)
    as_of = _whole_minute(query.as_of or now)
    # Totals are kept by the hour: what is left of this one has not happened yet.
    end = query.end or as_of.replace(minute=0) + timedelta(hours=1)
    start = query.start or end - timedelta(days=_DEFAULT_DAYS)
    if start >= end:
        raise BadWindowError("from", "lies at or after `to`; it is the first instant counted")
    try:
        beginnings = starts(start, end, grain, zone)
    except TooManyWindowsError:
        reason = f"more than {MOST} windows; take a coarser grain or a shorter span"
        raise BadWindowError("grain", reason) from None
    return Span(starts=list(beginnings), end=end.astimezone(UTC), as_of=as_of)


def groups_of(query: KpiQuery, kpi: Kpi) -> list[str]:
    """Raises BadDimensionError."""
    named = [name for name in (query.group_by or "").replace(" ", "").split(",") if name]
    if kpi.shape == "mix" and not named:
        named = ["channel"]
    if len(named) > MOST_GROUPS:
        raise BadDimensionError("group_by", "at most two dimensions at a time")
    for name in named:
        if name not in kpi.dims:
            raise BadDimensionError("group_by", _no_such(name, kpi))
    return list(dict.fromkeys(named))


def filters_of(query: SpanQuery, kpi: Kpi) -> dict[str, str]:
    """Raises BadDimensionError."""
    filters = query.filters()
    for name in filters:
        if name not in kpi.dims:
            raise BadDimensionError(name, _no_such(name, kpi))
    return filters


def _no_such(name: str, kpi: Kpi) -> str:
    if not kpi.dims:
        return f"{kpi.id} has no dimensions"
    close = get_close_matches(name, kpi.dims, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{kpi.id} has no such dimension; {hint}it has {', '.join(kpi.dims)}"


def _require_reasonable(name: str, at: datetime) -> None:
    if not _EARLIEST <= at <= _LATEST:
        raise BadWindowError(name, "give an instant from 1970 to 2200")
    utc = at.astimezone(UTC)
    if name != "as_of" and utc != utc.replace(minute=0, second=0, microsecond=0):
        raise BadWindowError(name, "give a full hour of UTC: totals are kept by the hour")


def _whole_minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)

"""What part of a history a caller asks for."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError
from rapport_events.envelope import CHANNELS
from rapport_runtime.http.paging import MOST, CursorMalformedError, decode_cursor

from rapport_profile.api.moments import Instant, PastQuery
from rapport_profile.cards import Place
from rapport_profile.queries import BEGINNING, END, Selection

_INSTANT: Final = timedelta(microseconds=1)
_TYPE: Final = re.compile(r"[a-z][a-z0-9_]*(\.\*|\.[a-z0-9_]+(\.v[1-9][0-9]*)?)?", re.ASCII)


class TimelineQuery(PastQuery):
    """The query string of the timeline route."""

    view: Literal["raw", "cards"] = Field(
        default="raw", description="Events as they are, or cards that fold what says little alone"
    )
    types: str | None = Field(
        default=None,
        max_length=2_000,
        description="Comma-separated: `ticket` or `ticket.*`, `ticket.created`, or in full",
        examples=["ticket,order.placed"],
    )
    channel: str | None = Field(
        default=None, max_length=200, description="Comma-separated", examples=["email,phone"]
    )
    since: Instant | None = Field(default=None, alias="from", description="First instant, RFC 3339")
    until: Instant | None = Field(
        default=None, alias="to", description="First instant not to be shown"
    )
    cursor: str | None = Field(
        default=None, max_length=2_048, description="`next_cursor` of the page before"
    )
    limit: int = Field(default=50, ge=1, le=MOST, description="Entries on a page")

    @field_validator("types")
    @classmethod
    def _types_are_types(cls, given: str | None) -> str | None:
        if given is not None and not all(map(_TYPE.fullmatch, _listed(given))):
            raise PydanticCustomError(
                "bad_type", "list types like ticket, ticket.created or ticket.created.v1"
            )
        return given

    @field_validator("channel")
    @classmethod
    def _channels_are_known(cls, given: str | None) -> str | None:
        if given is not None and not CHANNELS.issuperset(_listed(given)):
            raise PydanticCustomError(
                "unknown_channel", "known channels: {known}", {"known": ", ".join(sorted(CHANNELS))}
            )
        return given

    def filters(self) -> str:
        """What a cursor belongs to: under other filters it would skip entries."""
        return self.model_dump_json(exclude={"cursor", "limit"})

    def selection(self) -> Selection:
        """Raises CursorMalformedError, MomentInFutureError, MomentsOutOfOrderError."""
        when = self.when()
        end = self.until or END
        if when.as_of is not None:
            # The moment itself is shown, unlike `to`.
            end = min(end, when.as_of + _INSTANT)
        before = Place(end, BEGINNING, b"")
        if self.cursor is not None:
            before = _place(decode_cursor(self.cursor, self.filters(), length=3))
        return Selection(
            patterns=[_pattern(item) for item in _listed(self.types)] or ("%",),
            channels=_listed(self.channel) or None,
            since=self.since or BEGINNING,
            before=before,
            known_at=when.known_at or END,
        )


def packed(place: Place) -> tuple[str, str, str]:
    """A place as a cursor carries it."""
    return place.time.isoformat(), place.recordedtime.isoformat(), place.key.hex()


def _place(position: list[str | int]) -> Place:
    try:
        time, recordedtime, key = map(str, position)
        return Place(_instant(time), _instant(recordedtime), bytes.fromhex(key))
    except (ValueError, OverflowError):
        raise CursorMalformedError from None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _listed(given: str | None) -> list[str]:
    return [item for item in (given or "").replace(" ", "").split(",") if item]


def _pattern(item: str) -> str:
    """`ticket.created` as a SQL LIKE pattern, where `_` would stand for any character."""
    escaped = item.replace("_", r"\_")
    noun, _, verb = escaped.partition(".")
    if verb in {"", "*"}:
        return f"{noun}.%"
    return escaped if ".v" in verb else f"{escaped}.v%"

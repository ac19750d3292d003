"""How much of a person's history a client was told: the id of a live event.

The events of one subject lie in one partition of each topic, and the projection applies a partition
in the order of the log. So for each subject the first offset that was not told says it all, as long
as nothing is added before it; how many events lie before it says whether that is so.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple, Self
from uuid import UUID

import msgspec
from rapport_runtime.http.problems import ApiError, FieldError

_VERSION: Final = "1"
_LONGEST: Final = 16_384

_Subject = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
_Topic = Annotated[int, msgspec.Meta(ge=0, le=2**15 - 1)]
_Partition = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Packed = list[tuple[_Subject, list[tuple[_Topic, _Partition, _Number, _Number]]]]

Place = tuple[int, int]
"""Topic, as its number in the timeline, and partition."""


class LastEventIdMalformedError(ApiError):
    """What the client wants to resume from is no id of an event that was sent."""

    def __init__(self) -> None:
        reason = "this is no id of an event of this stream"
        super().__init__(
            f"{reason}; send the id of the last event as you got it, or none to begin anew",
            errors=[FieldError("/last-event-id", reason, "malformed_id", "header")],
        )


class LastEventIdForeignError(ApiError):
    """The id is of a stream of somebody else."""

    def __init__(self) -> None:
        reason = "this is the id of an event of another customer's stream"
        super().__init__(
            f"{reason}; send none to begin anew",
            errors=[FieldError("/last-event-id", reason, "foreign_id", "header")],
        )


class Mark(NamedTuple):
    """What was told of a subject in one place of the log."""

    next_offset: int
    """The first that was not told."""
    before: int
    """Events before it, all of them told or older than the stream."""


class Found(NamedTuple):
    """What the timeline holds of a subject in one place, seen from a position."""

    subject: str
    topic: int
    partition: int
    below: int
    """Events before the mark; 0 without one."""
    total: int
    end: int
    """One more than the last offset."""


@dataclass(frozen=True, slots=True)
class Position:
    """Subject to place to mark. Whom it does not name is told of from the beginning."""

    marks: Mapping[str, Mapping[Place, Mark]]

    @classmethod
    def at_end(cls, members: Collection[str], found: Iterable[Found]) -> Self:
        """Everything that there is counts as told."""
        marks: dict[str, dict[Place, Mark]] = {member: {} for member in members}
        for one in found:
            marks[one.subject][one.topic, one.partition] = Mark(one.end, one.total)
        return cls(marks)

    @classmethod
    def decode(cls, text: str) -> Self:
        """Raises LastEventIdMalformedError (400)."""
        version, rest = text[:1], text[1:]
        if version != _VERSION or len(text) > _LONGEST or not text.isascii():
            raise LastEventIdMalformedError
        try:
            packed = msgspec.msgpack.decode(
                urlsafe_b64decode(rest + "=" * (-len(rest) % 4)), type=_Packed
            )
        except (binascii.Error, ValueError, msgspec.DecodeError):
            raise LastEventIdMalformedError from None
        return cls(
            {
                str(UUID(bytes=subject)): {(t, p): Mark(offset, n) for t, p, offset, n in marks}
                for subject, marks in packed
            }
        )

    def encode(self) -> str:
        """About 45 characters for each subject."""
        packed = [
            (UUID(subject).bytes, [(*place, *mark) for place, mark in sorted(marks.items())])
            for subject, marks in sorted(self.marks.items())
        ]
        return _VERSION + urlsafe_b64encode(msgspec.msgpack.encode(packed)).rstrip(b"=").decode()

    def kept(self, members: Collection[str], found: Iterable[Found]) -> "Position":
        """What of it still holds: members whose history was not changed behind the mark.

        The others have joined since, or an event was parked and applied late; they are told of
        from the beginning.
        """
        below = {(one.subject, (one.topic, one.partition)): one.below for one in found}
        return Position(
            {
                subject: marks
                for subject, marks in self.marks.items()
                if subject in members
                and all(below.get((subject, at), 0) == mark.before for at, mark in marks.items())
            }
        )

    def told(self, members: Collection[str], told: Iterable[tuple[str, Place, int]]) -> "Position":
        """After events at these offsets; each place in its order, and none left out."""
        marks = {member: dict(self.marks.get(member, {})) for member in members}
        for subject, place, offset in told:
            known = marks[subject].get(place, Mark(0, 0))
            marks[subject][place] = Mark(offset + 1, known.before + 1)
        return Position(marks)

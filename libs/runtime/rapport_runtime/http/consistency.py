"""Reading what one has just written, although another process projects it.

Ingest answers a token: the places in the log that its events got. A read that brings the token
waits until the projection has passed them, or says 425 and where the projection stands. It
never gets an older answer.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
import orjson
from fastapi import Depends, Header

from rapport_runtime.delivery import Placed
from rapport_runtime.http.problems import ApiError
from rapport_runtime.pending import Outcome, Spooled

Positions = Mapping[tuple[str, int], int]
"""(topic, partition) -> offset. In a token: of the last event that must have been applied."""

Reach = Callable[[Positions, float], Awaitable[Positions | None]]
"""Waits at most so many seconds until positions are applied: None, or how far it got."""

DEFAULT_WAIT: Final = 2.0
LONGEST_WAIT: Final = 10.0
_LONGEST_TOKEN: Final = 4096

_Topic = Annotated[str, msgspec.Meta(min_length=1, max_length=249)]
_Partition = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class ConsistencyTokenMalformedError(ApiError):
    """The header is not a token that ingest answered."""

    def __init__(self) -> None:
        super().__init__("Consistency-Token is malformed; send it as ingest answered it")


class NotYetVisibleError(ApiError):
    """The projection has not reached the token's events in the time the caller would wait."""

    status_code = 425

    def __init__(self, waited: float, reached: Positions) -> None:
        super().__init__(
            f"the events of the token are not visible after {waited:g} s; try again, "
            "or wait longer with `Prefer: wait=10`",
            headers={"retry-after": "1"},
            members={"position": as_document(reached)},
        )


@dataclass(frozen=True, slots=True)
class Consistency:
    """What a reader asks for: everything up to `positions`, and how long it would wait."""

    positions: Positions | None
    wait_seconds: float

    async def honour(self, reach: Reach) -> None:
        """Return once the read may be answered. Raises NotYetVisibleError (425)."""
        if not self.positions:
            return
        reached = await reach(self.positions, self.wait_seconds)
        if reached is not None:
            raise NotYetVisibleError(self.wait_seconds, reached)


async def _asked(
    consistency_token: Annotated[
        str | None, Header(description="From ingest: answer only what includes these events")
    ] = None,
    prefer: Annotated[
        str | None, Header(description="`wait=<seconds>`: how long to wait for it, at most 10")
    ] = None,
) -> Consistency:
    # A coroutine, although it awaits nothing: FastAPI would send a plain function to a thread.
    positions = decode_token(consistency_token) if consistency_token else None
    return Consistency(positions, _wait_seconds(prefer))


AskedConsistency = Annotated[Consistency, Depends(_asked)]
"""For the signature of a read route: `consistency: AskedConsistency`."""


def encode_token(positions: Positions) -> str:
    """An opaque text for headers and URLs."""
    return urlsafe_b64encode(orjson.dumps(as_document(positions))).rstrip(b"=").decode()


def token_after(topic: str, outcomes: Iterable[Outcome]) -> str | None:
    """The token for what was just published; None when the place of some event is not known yet
    (it went to the spool) or nothing was placed."""
    last: dict[tuple[str, int], int] = {}
    for outcome in outcomes:
        match outcome:
            case Placed(partition, offset) if offset >= 0:
                last[topic, partition] = max(offset, last.get((topic, partition), 0))
            case Placed() | Spooled():
                return None
    return encode_token(last) if last else None


def decode_token(token: str) -> Positions:
    """Raises ConsistencyTokenMalformedError (400)."""
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        raise ConsistencyTokenMalformedError
    try:
        decoded = msgspec.json.decode(
            urlsafe_b64decode(token + "=" * (-len(token) % 4)),
            type=dict[_Topic, dict[_Partition, _Offset]],
        )
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise ConsistencyTokenMalformedError from None
    return {
        (topic, partition): offset
        for topic, partitions in decoded.items()
        for partition, offset in partitions.items()
    }


def as_document(positions: Positions) -> dict[str, dict[str, int]]:
    """Positions as JSON tells them: topic -> partition -> offset."""
    document: dict[str, dict[str, Any]] = {}
    for (topic, partition), offset in sorted(positions.items()):
        document.setdefault(topic, {})[str(partition)] = offset
    return document


def _wait_seconds(prefer: str | None) -> float:
    """RFC 7240: a preference that is not understood is ignored."""
    for preference in (prefer or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        number = value.strip().strip('"')
        if name.strip().lower() == "wait" and number.isascii() and number.isdigit():
            return min(float(number[:4]), LONGEST_WAIT)
    return DEFAULT_WAIT

"""Which request this is, through every service and into the log.

Source: W3C Trace Context, https://www.w3.org/TR/trace-context/.
"""

import re
from contextvars import ContextVar
from secrets import token_hex
from typing import Final, NamedTuple

_TRACEPARENT: Final = re.compile(
    rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)


class Trace(NamedTuple):
    """One step of a trace: lower-case hex, as in the `traceparent` header."""

    trace_id: str
    span_id: str
    flags: str = "00"

    @property
    def traceparent(self) -> str:
        """The value to pass on: header, CloudEvents attribute and Kafka header alike."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


NO_TRACE: Final = Trace("0" * 32, "0" * 16)

_current: ContextVar[Trace] = ContextVar("rapport_trace", default=NO_TRACE)


def current_trace() -> Trace:
    """The step this task belongs to; `NO_TRACE` outside a request."""
    return _current.get()


def enter_trace(header: bytes | None) -> Trace:
    """Continue the caller's trace under a new span, or start one; malformed headers start one."""
    trace = _continued(header) or Trace(token_hex(16), token_hex(8))
    _current.set(trace)
    return trace


def _continued(header: bytes | None) -> Trace | None:
    if header is None or len(header) > 512:
        return None
    found = _TRACEPARENT.fullmatch(header)
    if found is None:
        return None
    version, trace_id, parent, flags, rest = found.groups()
    invalid = version == b"ff" or not trace_id.strip(b"0") or not parent.strip(b"0")
    if invalid or (version == b"00" and rest):
        return None
    return Trace(trace_id.decode(), token_hex(8), flags.decode())

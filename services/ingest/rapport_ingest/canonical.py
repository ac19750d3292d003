"""The one canonicaliser: what passes here can be stored, encoded and read back everywhere.

A parser that is too polite makes poison. orjson keeps the last of two equal keys and turns
integers of 30 digits into floats, both silently; PostgreSQL refuses NUL, which every parser
accepts. So `parse` makes such things visible, and `canonicalise` refuses them event by event:
one bad event never fails its batch.
"""

import json
from math import isfinite
from typing import Any, Final
from unicodedata import is_normalized, normalize

import orjson
from rapport_events.codec import Problem
from rapport_runtime.http.problems import ApiError

MAX_DEPTH: Final = 32
MAX_KEYS: Final = 1_000
MAX_STRING: Final = 16 * 1024
"""Bytes of UTF-8, of a key or a value."""
MAX_EVENT: Final = 64 * 1024
"""Bytes of compact JSON."""
INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1


class UnreadableBodyError(ApiError):
    """The body is no JSON, so there is no event in it that could be looked at by itself."""

    status_code = 400


class Repeated(dict[str, Any]):
    """An object in which a key stood twice; `canonicalise` refuses it by its type."""


class NotFinite(float):
    """NaN, an infinity, or a number beyond the range of a double."""


def parse(body: bytes) -> object:
    """The JSON value of a request body or a record.

    Raises `UnreadableBodyError` for what is no JSON in UTF-8, or is nested so deep that no
    parser follows. What is wrong with single values is left for `canonicalise` to find.
    """
    _require_text(body)
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        # NaN and lone surrogates end here; Python and JavaScript clients do send both.
        return _parse_slowly(body)
    if _hides_something(body, value):
        return _parse_slowly(body)
    return value


def canonicalise(event: object) -> dict[str, Any] | Problem:
    """The event in canonical form, or what keeps it from having one. A fixed point.

    `event` is what `parse` returned, or a part of it; most events come back as they are.
    """
    if not isinstance(event, dict):
        return Problem("", "not_an_object", "an event is a JSON object")
    if _is_canonical(event):
        return event
    try:
        rebuilt = _Walk().members(event, "", 1)
    except _RefusedError as refused:
        return refused.problem
    size = len(orjson.dumps(rebuilt))
    if size > MAX_EVENT:
        return Problem("", "too_large", f"an event is at most 64 KiB; this one has {size} bytes")
    return rebuilt


_BOMS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_DIGITS_AS_ZERO: Final = bytes.maketrans(b"123456789", b"000000000")
_TWENTY_DIGITS: Final = b"0" * 20
_NINETEEN_DIGITS: Final = b"0" * 19
_MINUS_NINETEEN: Final = b"-" + _NINETEEN_DIGITS
_ESCAPED_COLON: Final = (b"\\u003a", b"\\u003A")


def _require_text(body: bytes) -> None:
    if not body or body.isspace():
        raise UnreadableBodyError("the body is empty")
    if body.startswith(_BOMS):
        raise UnreadableBodyError("the body begins with a byte order mark; send plain UTF-8")


def _hides_something(body: bytes, value: object) -> bool:
    """Whether orjson may have dropped a repeated key or rounded an integer, judged cheaply.

    The value, written again, has as many colons as the body, or members were dropped.
    May say yes for nothing, never no wrongly.
    """
    if b"\\" in body and any(escaped in body for escaped in _ESCAPED_COLON):
        return True
    digits = body.translate(_DIGITS_AS_ZERO)
    if _TWENTY_DIGITS in digits or _MINUS_NINETEEN in digits:
        return True
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:  # nested deeper than orjson writes, less deep than it reads
        return True
    return body.count(b":") != written.count(b":")


def _parse_slowly(body: bytes) -> object:
    try:
        return _SLOW.decode(body.decode())
    except UnicodeDecodeError:
        raise UnreadableBodyError("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableBodyError(f"the body is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise UnreadableBodyError("the body is nested too deep to be read") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else Repeated(plain)


def _integer(digits: str) -> int:
    # int() is quadratic, and refuses thousands of digits with an exception of its own.
    return int(digits) if len(digits) <= len(str(INT64_MIN)) else INT64_MAX + 1


def _number(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else NotFinite(number)


_SLOW: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=NotFinite
)


def _is_canonical(event: dict[str, Any]) -> bool:
    """Whether the event is certainly canonical: bounds by its compact JSON, in a few C calls."""
    try:
        written = orjson.dumps(event, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    except orjson.JSONEncodeError:
        return False
    return (
        len(written) <= MAX_STRING
        and written.count(b'":') <= MAX_KEYS
        and written.count(b"{") + written.count(b"[") <= MAX_DEPTH
        and b"\\u0000" not in written
        and _NINETEEN_DIGITS not in written.translate(_DIGITS_AS_ZERO)
        # A part of a text in NFC is in NFC too.
        and (written.isascii() or is_normalized("NFC", written.decode()))
    )


class _RefusedError(Exception):
    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(pointer, code, detail)


class _Walk:
    """One pass over an event; refuses at the first flaw, so it never recurses below the limit."""

    def __init__(self) -> None:
        self.keys = 0

    def value(self, value: object, pointer: str, depth: int) -> object:
        match value:
            case None | bool():
                return value
            case str():
                return _text(value, pointer)
            case int():
                return _int64(value, pointer)
            case float():
                return _finite(value, pointer)
            case dict() | list() if depth > MAX_DEPTH:
                raise _RefusedError(pointer, "too_deep", f"nested deeper than {MAX_DEPTH} levels")
            case dict():
                return self.members(value, pointer, depth)
            case list():
                parts = enumerate(value)
                return [self.value(part, f"{pointer}/{place}", depth + 1) for place, part in parts]
            case _:
                raise _RefusedError(pointer, "not_json", "not a JSON value")

    def members(self, members: dict[str, Any], pointer: str, depth: int) -> dict[str, Any]:
        self.keys += len(members)
        if self.keys > MAX_KEYS:
            raise _RefusedError(pointer, "too_many_keys", f"an event has at most {MAX_KEYS} keys")
        if isinstance(members, Repeated):
            raise _RefusedError(pointer, "repeated_key", "a key stands twice in this object")
        rebuilt: dict[str, Any] = {}
        for key, value in members.items():
            name = _text(key, pointer)
            if name in rebuilt:
                raise _RefusedError(pointer, "repeated_key", "two keys are the same text")
            rebuilt[name] = self.value(value, f"{pointer}/{_escaped(name)}", depth + 1)
        return rebuilt


def _text(text: str, pointer: str) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise _RefusedError(pointer, "lone_surrogate", "text holds half a character") from None
    if "\0" in text:
        raise _RefusedError(pointer, "nul", "text holds a NUL character")
    composed = text if text.isascii() else normalize("NFC", text)
    # Composing mostly shortens, but a few scripts grow: the limit holds before and after.
    if max(size, len(composed.encode())) > MAX_STRING:
        raise _RefusedError(pointer, "string_too_long", "a string is at most 16 KiB of UTF-8")
    return composed


def _int64(number: int, pointer: str) -> int:
    if INT64_MIN <= number <= INT64_MAX:
        return number
    raise _RefusedError(pointer, "integer_too_large", "an integer fits in 64 bits; send a string")


def _finite(number: float, pointer: str) -> float:
    if isfinite(number):
        return number
    raise _RefusedError(pointer, "not_finite", "a number is finite")


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")

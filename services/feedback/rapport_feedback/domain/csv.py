"""Tables for spreadsheets, from which nobody's words can start a formula. RFC 4180."""

from collections.abc import Sequence
from typing import Final

_STARTS_FORMULA: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""Full-width ones count, too: some spreadsheets read them as the plain ones."""

_NEEDS_QUOTES: Final = frozenset('",\r\n;\t ')

Cell = str | int | bool | None


def line(cells: Sequence[Cell]) -> str:
    return ",".join(map(_cell, cells)) + "\r\n"


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            # Our own number, so its minus is one.
            return str(value)
        case str():
            return _text(value)


def _text(text: str) -> str:
    safe = f"'{text}" if text[:1] in _STARTS_FORMULA else text
    if _NEEDS_QUOTES.isdisjoint(safe):
        return safe
    return '"' + safe.replace('"', '""') + '"'

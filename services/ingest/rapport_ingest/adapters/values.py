"""What publishers put where an id, a text or a number belongs; None for what does not fit."""

import re
from datetime import date
from typing import Any, Final

_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:T.*)?", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,18}", re.ASCII)


def ref(value: object) -> str | None:
    """An id or a label of 1 to 256 characters; publishers send numbers too."""
    text = id_text(value)
    return text if text is not None and len(text) <= 256 else None


def id_text(value: object) -> str | None:
    """An id of any length as text: `97` and `97.0` are "97"; null and "" are no id."""
    if isinstance(value, str):
        return value or None
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return None


def text(value: object) -> str | None:
    """Free text."""
    return value if isinstance(value, str) and 0 < len(value) <= 16_384 else None


def whole(value: object) -> int | None:
    """A whole number, also one that JavaScript or a form turned into `4.0` or "4"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    return value if isinstance(value, int) else None


def count(value: object) -> int | None:
    number = whole(value)
    return number if number is not None and 0 <= number <= 2**53 else None


def percent(value: object) -> int | None:
    """0 to 100, whatever the publisher's scale is."""
    number = whole(value)
    return number if number is not None and 0 <= number <= 100 else None


def flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def day(value: object) -> str | None:
    """A calendar day; the time of a birthday is nobody's."""
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1]).isoformat()
    except ValueError:
        return None


def members(value: object) -> dict[str, Any]:
    """An object; empty for null and for what is none."""
    return value if isinstance(value, dict) else {}

"""What templates may do with a value: amounts and days, and little of what is built in."""

import re
from datetime import UTC, date, datetime
from typing import Any, Final

from liquid.exceptions import FilterArgumentError

BUILT_IN: Final = frozenset(
    """
    append capitalize default divided_by downcase escape first last lstrip minus modulo
    newline_to_br plus prepend round rstrip size strip times truncate truncatewords upcase
    url_encode
    """.split()  # noqa: SIM905 - a list literal would be a line each
)
"""None of them makes much of little: `replace`, `join` of a range and the like can."""

_DECIMALS: Final = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip
"""Of currencies that have not two. Source: ISO 4217."""

_MOST: Final = 10**18
_DATE_FORMAT: Final = re.compile(r"(?:[^%]|%[-]?[dmyYbBaAHIMSpje%])*")
_LONGEST_FORMAT: Final = 60


def money(value: object, currency: object, point: object = ".") -> str:
    """`{{ 1250 | money: "EUR", "," }}` is `12,50 EUR`: minor units, as events have them."""
    amount = _whole(value)
    decimals = _DECIMALS.get(str(currency), 2)
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 10**decimals)
    digits = f"{point!s:.1}{part:0{decimals}}" if decimals else ""
    return f"{sign}{whole}{digits} {currency!s:.3}"


def day(value: object, form: object = "%Y-%m-%d") -> str:
    """`{{ expires | date: "%d.%m.%Y" }}`: an ISO 8601 day or moment, in UTC."""
    text = str(form)
    if len(text) > _LONGEST_FORMAT or not _DATE_FORMAT.fullmatch(text):
        raise FilterArgumentError("date: this is no format", token=None)
    return _moment(value).strftime(text)


FILTERS: Final[dict[str, Any]] = {"money": money, "date": day}


def _whole(value: object) -> int:
    try:
        amount = int(value) if isinstance(value, int | str) else None
    except ValueError:
        amount = None
    if amount is None or abs(amount) > _MOST:
        raise FilterArgumentError("money: this is no whole number of minor units", token=None)
    return amount


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        raise FilterArgumentError("date: this is no ISO 8601 date", token=None) from None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)

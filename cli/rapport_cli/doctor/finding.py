"""What a look at one thing found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`note`: something is missing that not everybody needs. `fix` goes with all but `ok`."""

    what: str
    state: Literal["ok", "note", "failed"]
    detail: str
    fix: str | None = None


def good(what: str, detail: str) -> Finding:
    return Finding(what, "ok", detail)


def note(what: str, detail: str, fix: str) -> Finding:
    return Finding(what, "note", detail, fix)


def bad(what: str, detail: str, fix: str) -> Finding:
    return Finding(what, "failed", detail, fix)

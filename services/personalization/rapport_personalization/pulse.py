"""When to look for what is due: often while something happens, and else when the next falls due.

Most of the time nothing is: to ask the database twenty times a second would wear it for nothing.
"""

from dataclasses import dataclass
from typing import Final

AFTER_NEWS: Final = 1.0
"""For so many seconds candidates may appear of what has just been applied, and not committed."""

MOST: Final = 1.0
"""Seconds between two looks at the most: another process may have made a candidate, and died."""


@dataclass(slots=True)
class Pulse:
    """Instants are seconds of one clock, which never goes back."""

    _news_until: float = 0.0
    _next: float = 0.0

    def stir(self, now: float) -> None:
        """Something happened, by which there may be something to decide."""
        self._news_until = now + AFTER_NEWS

    def is_time(self, now: float) -> bool:
        return now >= self._next or now < self._news_until

    def rest(self, now: float, seconds: float | None) -> None:
        """Everything due is decided; the next is due in so many seconds, None: nothing waits."""
        self._next = now + (MOST if seconds is None else min(MOST, max(0.0, seconds)))

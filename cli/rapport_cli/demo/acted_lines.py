"""Tells whom the demo wrote to before they asked, and why one was left alone."""

from collections.abc import Iterator, Mapping
from textwrap import shorten
from typing import Any, Final

from rapport_cli.demo.acting import Acted

_WIDTH: Final = 140
_MORE: Final = "\u2026"
_STOP: Final = "You decide"
"""From here on it is the same in every offer."""
_FIRST: Final = 8
"""Characters of an event's key."""


def acted_lines(acted: Acted) -> list[str]:
    """A birthday, a parcel, a cart, an unhappy customer; and the cart that nobody spoke of."""
    return [
        f"  Lena has her birthday today: {_words(acted, 'Lena')}",
        f"  Max's parcel is late. {acted.seconds:.1f} s after the carrier knew, so did he:"
        f" {_words(acted, 'Max')}",
        f"  Nia left a cart: {_words(acted, 'Nia')}",
        "  Ivo, who gave a 2, was called, as the trigger asked. He gives a 9 now.",
        "  Oli left a cart, too, and unsubscribed with one click before. He heard nothing:",
        *explained(acted.why),
        "  Be Nia, and say in a browser how you want to be spoken to:",
        f"  {acted.link}",
    ]


def explained(why: Mapping[str, Any]) -> Iterator[str]:
    """The gates in their order; the first that is not passed is the reason."""
    yield f"    {why['trigger']}@{why['version']}: {why['sentence']}"
    for gate in why["gates"]:
        mark = (
            "passed" if gate["passed"] else "STOPPED" if gate["name"] == why["gate"] else "failed"
        )
        value = f"  {gate['value']}" if gate["value"] else ""
        events = ", ".join(f"{key[:_FIRST]}\u2026" for key in gate["events"])
        by = f"  by event {events}" if events else ""
        yield f"    {mark:8}{gate['name']}{value}{by}"


def _words(acted: Acted, name: str) -> str:
    letter = acted.letters[name]
    said = letter.text.split("\n\n", 1)[-1].split(_STOP)[0]
    return f"\u201c{shorten(said, _WIDTH, placeholder=_MORE)}\u201d"

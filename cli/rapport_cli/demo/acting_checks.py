"""What has to be true after we have acted."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rapport_cli.demo.acting import Acted
from rapport_cli.demo.complaint import differs
from rapport_cli.demo.rules import BIRTHDAY, CART

_SENT: Final = {
    "Lena": ("sent", "email"),
    "Max": ("sent", "email"),
    "Nia": ("sent", "email"),
    "Oli": ("no_consent", None),
    "Ivo": ("sent", None),
}
_WORDS: Final = {
    "Lena": "Happy birthday",
    "Max": "O-4001 comes later",
    "Nia": "24.90",
}


def acting_complaints(acted: Acted) -> list[str]:
    """One sentence for each thing that is wrong; none: all is as it should be."""
    return [complaint for check in ACTING_CHECKS for complaint in check(acted)]


def decisions(acted: Acted) -> Iterator[str]:
    """Whoever had a reason to be spoken to was decided about, once, by the demo's own rules."""
    found = {name: (one["outcome"], one["channel"]) for name, one in acted.decisions.items()}
    yield from differs("what was decided", found, _SENT)
    for name, trigger in (("Lena", BIRTHDAY), ("Nia", CART), ("Oli", CART)):
        version = acted.decisions[name]["version"]
        yield from differs(f"{name}'s rule", version, acted.plot.versions[trigger])


def messages(acted: Acted) -> Iterator[str]:
    """Each was told what it was about, and how to have no more of it."""
    for name, words in _WORDS.items():
        letter = acted.letters[name]
        if words not in f"{letter.subject} {letter.text}":
            yield f"The message to {name} does not say \u201c{words}\u201d."
    for name in ("Lena", "Nia"):
        if "/p/" not in acted.letters[name].text:
            yield f"The offer to {name} does not say how to stop it."
    if "code" not in acted.letters["Lena"].text:
        yield "Lena was given no code."


def recovery(acted: Acted) -> Iterator[str]:
    """Who would not recommend us was called, and would now."""
    scores = [one["score"] for one in acted.ivo["satisfaction"]]
    yield from differs("Ivo's last answer", scores, [9])


def silence(acted: Acted) -> Iterator[str]:
    """Who unsubscribed is left alone, and it can be told why."""
    said = (acted.why["verdict"], acted.why["gate"], acted.why["agrees"])
    yield from differs("why Oli heard nothing", said, ("no_consent", "no_consent", True))
    gates = {one["name"]: one for one in acted.why["gates"]}
    if not gates["no_consent"]["events"]:
        yield "No event is named that took Oli's leave to write to him."


ACTING_CHECKS: Final[Sequence[Callable[[Acted], Iterator[str]]]] = (
    decisions,
    messages,
    recovery,
    silence,
)

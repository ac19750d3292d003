"""The timeline as a person reads it: one card a happening, noise folded into one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

LONGEST_RUN: Final = 500
"""Events in one card at most, so that a page costs a bounded read."""
SAMPLES: Final = 5

_FAMILIES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "browsing": {
        "page.viewed": ("page viewed", "pages viewed"),
        "screen.viewed": ("screen viewed", "screens viewed"),
        "session.started": ("visit", "visits"),
        "product.viewed": ("product viewed", "products viewed"),
        "search.performed": ("search", "searches"),
        "content.consumed": ("piece read or watched", "pieces read or watched"),
        "feature.used": ("use of a feature", "uses of features"),
    },
    "basket": {
        "cart.updated": ("change of the basket", "changes of the basket"),
        "wishlist.added": ("wish", "wishes"),
    },
    "help": {
        "help.viewed": ("help article read", "help articles read"),
        "help.searched": ("search in help", "searches in help"),
        "help.rated": ("rating of help", "ratings of help"),
    },
    "messages": {
        "message.sent": ("message sent", "messages sent"),
        "message.delivered": ("message delivered", "messages delivered"),
        "message.opened": ("message opened", "messages opened"),
        "message.clicked": ("link followed", "links followed"),
        "action.requested": ("message asked for", "messages asked for"),
    },
    "decisions": {
        "decision.made": ("decision", "decisions"),
        "survey.not_invited": ("time not asked for feedback", "times not asked for feedback"),
        "score.updated": ("new score", "new scores"),
        "suggestion.made": ("suggestion", "suggestions"),
        "suggestion.withdrawn": ("suggestion taken back", "suggestions taken back"),
    },
    "identity": {
        "customer.identified": ("sign of who they are", "signs of who they are"),
        "session.signed_in": ("sign-in", "sign-ins"),
        "session.signed_out": ("sign-out", "sign-outs"),
    },
    "points": {"points.earned": ("earning of points", "earnings of points")},
}
"""Noise: events that say little alone, by the family that they fold with."""

_FAMILY_OF: Final = {type_: name for name, types in _FAMILIES.items() for type_ in types}
LABELS: Final = (
    "page", "screen", "product", "query", "article", "feature", "content_id", "template",
    "title", "url", "device_class", "method", "cart", "reason", "trigger", "score",
)  # fmt: skip
"""Fields that name what an event was about, the most telling first."""


class Place(NamedTuple):
    """Where an event stands in the order of a person's history."""

    time: datetime
    recordedtime: datetime
    key: bytes


@dataclass(frozen=True, slots=True)
class Glance:
    """What can be said of an event without opening it."""

    place: Place
    type: str
    channel: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """The events of one card, newest first."""

    glances: Sequence[Glance]

    @property
    def newest(self) -> Glance:
        return self.glances[0]

    @property
    def oldest(self) -> Glance:
        return self.glances[-1]

    @property
    def counts(self) -> Counter[str]:
        return Counter(glance.type for glance in self.glances)

    @property
    def sampled(self) -> list[bytes]:
        """Keys of the events worth opening: twice as many as are shown, for some are equal."""
        return [glance.place.key for glance in self.glances[: 2 * SAMPLES]]


def runs(glances: Iterable[Glance]) -> Iterator[Run]:
    """Cuts a history, newest first, into cards: neighbours of one family and channel are one.

    Greedy from the newest on, so a page that starts where the last one ended cuts alike.
    """
    held: list[Glance] = []
    for glance in glances:
        if held and not (_folds(held[-1], glance) and len(held) < LONGEST_RUN):
            yield Run(held)
            held = []
        held.append(glance)
    if held:
        yield Run(held)


def _folds(newer: Glance, older: Glance) -> bool:
    family = _FAMILY_OF.get(_noun(newer.type))
    return (
        family is not None
        and family == _FAMILY_OF.get(_noun(older.type))
        and newer.channel == older.channel
    )


def run_title(run: Run) -> str:
    """`40 pages viewed, 12 products viewed`, the most frequent first."""
    by_noun: Counter[str] = Counter()
    for type_, count in run.counts.items():
        by_noun[_noun(type_)] += count
    parts = []
    for noun, count in by_noun.most_common():
        one, many = _FAMILIES[_FAMILY_OF[noun]][noun]
        parts.append(f"{count} {one if count == 1 else many}")
    return ", ".join(parts)


def samples(opened: Iterable[Mapping[str, object]]) -> list[str]:
    """What the events were about, each thing once."""
    found: dict[str, None] = {}
    for fields in opened:
        label = next((fields[name] for name in LABELS if isinstance(fields.get(name), str)), None)
        if isinstance(label, str):
            found[label] = None
    return list(found)[:SAMPLES]


def _noun(type_: str) -> str:
    return type_.rpartition(".v")[0]

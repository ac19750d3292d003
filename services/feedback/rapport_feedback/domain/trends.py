"""What became of the answers to one question, in integers that add up."""

from collections.abc import Mapping
from typing import Final, NamedTuple

PROMOTER: Final = 9
DETRACTOR: Final = 6
TOP_BOX: Final = {"csat": 4, "ces": 5}
"""The lowest score that counts as satisfied, or as easy."""


class Share(NamedTuple):
    """A fraction, not divided: sums of them are right, means of them would not be."""

    num: int
    den: int


class Scores(NamedTuple):
    """All that is said of some scores; None where it makes no sense for the kind."""

    n: int
    mean: Share
    nps: Share | None
    top_box: Share | None


def summarise(counts: Mapping[int, int], kind: str | None) -> Scores:
    """Of how often each score was given. `kind`: None for questions beside the score."""
    n = sum(counts.values())
    total = sum(score * count for score, count in counts.items())
    nps = top_box = None
    if kind == "nps":
        promoters = sum(count for score, count in counts.items() if score >= PROMOTER)
        detractors = sum(count for score, count in counts.items() if score <= DETRACTOR)
        nps = Share(promoters - detractors, n)
    elif kind in TOP_BOX:
        satisfied = sum(count for score, count in counts.items() if score >= TOP_BOX[kind])
        top_box = Share(satisfied, n)
    return Scores(n, Share(total, n), nps, top_box)

"""What totals say too much, or too little, of an earlier instant.

Most facts are dated by what made them, so that what was not yet is left out by its date. A few
change afterwards: a refund lowers the order, a reopening takes the resolution back, a correction
replaces an answer. For those, the entities that have lived since are folded again as of then.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from rapport_runtime.pool import Snapshot

from rapport_metrics.domain.facts import Fact
from rapport_metrics.domain.instants import instant
from rapport_metrics.domain.outcome import bucket
from rapport_metrics.domain.reading import Row
from rapport_metrics.queries import Selection, Slot
from rapport_metrics.question import Question
from rapport_metrics.replay import Between, facts_of, kinds_of, load_refs, load_working

_END_OF_TIME: Final = 2**63 - 1
_CHUNK: Final = 500


async def load_corrections(snap: Snapshot, question: Question, selection: Selection) -> list[Slot]:
    """Totals to be added, some of them negative; none when the question is about now."""
    if not question.is_past:
        return []
    before = instant(question.as_of)
    found: list[Slot] = []
    kinds, between = kinds_of(question.kpi.metrics), Between(before, _END_OF_TIME)
    while refs := await load_refs(snap, kinds, between, _CHUNK):
        working = await load_working(snap, refs)
        for one in facts_of(working, refs, question.options):
            found += slots_of(question, selection, one.fact, -1)
        for one in facts_of(working, refs, question.options, before):
            found += slots_of(question, selection, one.fact, +1)
        between = between._replace(after=refs[-1])
    return found


def slots_of(question: Question, selection: Selection, fact: Fact, sign: int) -> Iterator[Slot]:
    minute = bucket(fact.metric, fact.at)
    is_asked = (
        fact.metric in question.kpi.metrics | question.kpi.beside
        and selection.edges[0] <= minute < selection.end
        and all(getattr(fact.dims, name) == value for name, value in selection.filters.items())
    )
    if is_asked:
        yield Slot(
            bisect_right(selection.edges, minute) - 1,
            minute >= selection.mature_before,
            tuple(getattr(fact.dims, name) for name in question.group_by),
            Row(fact.metric, fact.bin, sign * fact.num, sign * fact.den),
        )

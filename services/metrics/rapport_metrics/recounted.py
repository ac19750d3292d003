"""Totals of another definition: counted again, from the entities themselves, when asked for.

Over all history, since entities are kept as long as the log says anything of them; and exact at any
moment, since they are what the totals of the definition in force are made of, too.
"""

from typing import Final

from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.pool import Snapshot

from rapport_metrics.corrections import slots_of
from rapport_metrics.domain.instants import instant
from rapport_metrics.domain.outcome import MINUTE
from rapport_metrics.queries import Selection, Slot
from rapport_metrics.question import Question
from rapport_metrics.replay import Between, facts_of, kinds_of, load_refs, load_working

_CHUNK: Final = 500
_MOST_CHUNKS: Final = 400


class TooMuchToRecountError(ApiError):
    """The span has more entities than one answer counts again."""

    status_code = 422

    def __init__(self) -> None:
        reason = f"more than {_MOST_CHUNKS * _CHUNK} things to count again; take a shorter span"
        super().__init__(
            f"from: {reason}", errors=[FieldError("/from", reason, "too_much", "query")]
        )


async def load_recounted(snap: Snapshot, question: Question, selection: Selection) -> list[Slot]:
    """Each fact of the span by itself. Raises TooMuchToRecountError."""
    # A deadline may lie behind the last event of what it is a deadline of.
    start = 0 if question.kpi.id.startswith("sla_") else selection.edges[0] * MINUTE
    kinds = kinds_of(question.kpi.metrics)
    between = Between(start, selection.end * MINUTE)
    before = instant(question.as_of) if question.is_past else None
    found: list[Slot] = []
    for _ in range(_MOST_CHUNKS):
        refs = await load_refs(snap, kinds, between, _CHUNK)
        if not refs:
            return found
        working = await load_working(snap, refs)
        for one in facts_of(working, refs, question.options, before):
            found += slots_of(question, selection, one.fact, +1)
        between = between._replace(after=refs[-1])
    raise TooMuchToRecountError

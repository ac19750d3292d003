"""Events told one by one to the metrics' core, and what they add up to."""

from collections.abc import Iterable

from rapport_events import wire
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.instants import DAY, SECOND
from rapport_metrics.domain.own import DEFAULTS, Options
from rapport_metrics.domain.told import By

from tests.support.kpi_memory import Memory
from tests.support.kpi_worlds import START

MINUTE = 60 * SECOND
Told = tuple[int, wire.Data]
Totals = dict[str, tuple[int, int]]


def told(
    events: Iterable[Told],
    channel: str | None = "email",
    who: str | None = "ann",
    options: Options = DEFAULTS,
) -> Memory:
    """The events, each at an instant counted from the start; by order of arrival."""
    memory = Memory(options)
    for number, (at, data) in enumerate(events):
        by = By(START + at, number.to_bytes(2, "big"), channel, who)
        memory.take([Happening(by, data)])
    return memory


def totals(memory: Memory) -> Totals:
    found: Totals = {}
    for cell, (num, den) in memory.cells.items():
        known = found.get(cell.metric, (0, 0))
        found[cell.metric] = (known[0] + num, known[1] + den)
    return found


def day_of(memory: Memory, metric: str) -> int:
    [cell] = [cell for cell in memory.cells if cell.metric == metric]
    return (cell.bucket * MINUTE - START) // DAY

"""What persons have bought: as it stands, or as it stood at an earlier instant."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from rapport_runtime.pool import Snapshot

from rapport_metrics.domain.engine import purchase_of
from rapport_metrics.domain.past import cut
from rapport_metrics.replay import Between, load_refs, load_working

_CHUNK: Final = 500

_BOUGHT: Final = """
WITH bought AS (
    SELECT coalesce(person.root, one.subject_id) AS person, one.at, one.net, one.currency
    FROM (
        SELECT subject_id, at, net, currency FROM purchase WHERE order_id <> ALL (${0}::text[])
        UNION ALL SELECT subject_id::uuid, at, net, currency
        FROM unnest(${1}::text[], ${2}::bigint[], ${3}::bigint[], ${4}::text[])
            AS stood (subject_id, at, net, currency)
    ) AS one LEFT JOIN person ON person.subject_id = one.subject_id
    WHERE person.erased IS NULL
)
"""
"""Valid orders of persons who are not erased, for statements that read `bought`."""

_MAIN_CURRENCY: Final = """
SELECT currency FROM bought WHERE at < $1 AND currency IS NOT NULL
GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1
"""


class Earlier(NamedTuple):
    """Orders that are others now than they were: all of them, and those that were valid then."""

    orders: Sequence[str] = ()
    subjects: Sequence[str] = ()
    at: Sequence[int] = ()
    net: Sequence[int] = ()
    currencies: Sequence[str | None] = ()


NOW: Final = Earlier()


async def load_earlier(snap: Snapshot, before: int) -> Earlier:
    """Orders of before the instant, in microseconds, to which anything has happened since."""
    orders: list[str] = []
    stood: list[tuple[str, int, int, str | None]] = []
    between = Between(before, before)
    while refs := await load_refs(snap, ["order"], between, _CHUNK):
        working = await load_working(snap, refs)
        for ref in refs:
            orders.append(ref.id)
            purchase = purchase_of(cut(working.states[ref], before))
            if purchase is not None:
                stood.append(purchase)
        between = between._replace(after=refs[-1])
    columns = zip(*stood, strict=True) if stood else ((), (), (), ())
    return Earlier(orders, *map(list, columns))


async def fetch(
    snap: Snapshot,
    earlier: Earlier,
    statement: str,
    *values: Any,  # noqa: ANN401 - what the driver takes
) -> list[tuple[Any, ...]]:
    """The rows of a statement that reads `bought`."""
    first = len(values) + 1
    sql = _BOUGHT.format(*range(first, first + len(earlier))) + statement
    return list(await snap.fetch(sql, *values, *map(list, earlier)))


async def main_currency(snap: Snapshot, at: int, earlier: Earlier = NOW) -> str | None:
    """In which most orders before the instant are: amounts of several cannot be added."""
    rows = await fetch(snap, earlier, _MAIN_CURRENCY, at)
    return rows[0][0] if rows else None

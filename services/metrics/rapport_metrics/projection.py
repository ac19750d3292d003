"""What the KPIs' projection consists of, for those who build it again and compare it.

Published days, the ledger, targets and fitted models are not of it: what was told stays told.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Final

from rapport_events.envelope import Record
from rapport_runtime.rebuild import Beside, Part, Projection
from sqlalchemy import (
    Date,
    Executable,
    Text,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from rapport_metrics import tables
from rapport_metrics.consumer import subscription
from rapport_metrics.kept import IN_FORCE, chosen, metrics_of
from rapport_metrics.settings import MetricsSettings

_READERS_FIRST: Final = "SET LOCAL lock_timeout = '300ms'"
"""Who asks for the view meanwhile waits behind us: rather let them pass, and try again."""

_VIEWS: Final = (
    """
    CREATE OR REPLACE VIEW contracted AS
    SELECT coalesce(person.root, contract.subject_id) AS person, contract.since, contract.until
    FROM {0}.contract LEFT JOIN {0}.person USING (subject_id) WHERE person.erased IS NULL
    """,
)
"""A view stays with the tables that it was made of, wherever they go."""

_RESTATE: Final = """
INSERT INTO restatement (metric, day, num, den, causes, kinds)
SELECT metric, DATE '1970-01-01' + bucket / 1440, sum(num), sum(den), '{{}}', '{{"rebuild": 1}}'
FROM (
    SELECT metric, bucket, num, den FROM {0}.cell
    UNION ALL SELECT metric, bucket, -num, -den FROM cell
) AS change
WHERE bucket < (SELECT closed_until FROM closing WHERE id = 1) AND metric <> ALL (:begun)
GROUP BY 1, 2 HAVING sum(num) <> 0 OR sum(den) <> 0
"""
"""So that the ledger still adds up where somebody promotes a version that differs."""

_BEGIN: Final = (
    "DELETE FROM published WHERE metric = ANY (:begun)",
    "DELETE FROM restatement WHERE metric = ANY (:begun)",
    """
    INSERT INTO published (metric, day, num, den, at)
    SELECT metric, DATE '1970-01-01' + bucket / 1440, sum(num), sum(den), now() FROM {0}.cell
    WHERE bucket < (SELECT closed_until FROM closing WHERE id = 1) AND metric = ANY (:begun)
    GROUP BY 1, 2
    """,
)
"""Days of a definition that is kept from now on are published now, for the first time."""


def subjects(record: Record) -> Collection[str]:
    return () if record.envelope.subject is None else (record.envelope.subject,)


def _carry_over(begun: Sequence[str], beside: Beside) -> Sequence[Executable]:
    """The views move to the tables that become live, and what that changes is restated.

    `begun`: metrics that were not counted until now.
    """
    schema, names = beside(tables.cell).schema, bindparam("begun", begun, ARRAY(Text))
    ledger = (text(one.format(schema)).bindparams(names) for one in (_RESTATE, *_BEGIN))
    return [*ledger, *(text(one.format(schema)) for one in (_READERS_FIRST, *_VIEWS))]


def _seed(settings: MetricsSettings, begun: Collection[str], beside: Beside) -> list[Executable]:
    """What was kept is kept on, and what is asked for from the first event on."""
    kept, new = beside(tables.kept), [IN_FORCE, *begun]
    return [
        insert(kept).from_select(
            ["definition", "digest"],
            select(_KEPT.definition, _KEPT.digest).where(_KEPT.definition.not_in(new)),
        ),
        insert(kept).values(chosen(settings.options(), settings.definitions(), begun)),
    ]


_CELL: Final = tables.cell.c
_DIMS: Final = tables.dims.c
_KEPT: Final = tables.kept.c
_PERSON: Final = tables.person.c
_ENTITY: Final = tables.entity.c
_PURCHASE: Final = tables.purchase.c
_CONTRACT: Final = tables.contract.c

_DAY: Final = literal_column("DATE '1970-01-01' + bucket / 1440", Date)
_DAILY: Final = tables.daily.c
_DAY_OF_DAILY: Final = literal_column("DATE '1970-01-01' + day", Date)


def _totals(without: Sequence[str]) -> Iterator[Part]:
    """What the writers of each total add up to: who wrote which part is up to how batches fell."""
    cells = (
        select(
            func.concat(_CELL.metric, " ", _DAY).label("key"),
            _CELL.bucket,
            _CELL.bin,
            *(column for column in _DIMS if column.name != "id"),
            func.sum(_CELL.num).label("num"),
            func.sum(_CELL.den).label("den"),
        )
        .join_from(tables.cell, tables.dims, _CELL.dims == _DIMS.id, isouter=True)
        .where(_CELL.metric.not_in(without))
        .group_by(_CELL.metric, _CELL.bucket, _CELL.bin, _DIMS.id)
        .having(or_(func.sum(_CELL.num) != 0, func.sum(_CELL.den) != 0))
    )
    days = (
        select(
            func.concat(_DAILY.metric, " ", _DAY_OF_DAILY).label("key"),
            _DAILY.dims,
            _DAILY.bin,
            func.sum(_DAILY.num).label("num"),
            func.sum(_DAILY.den).label("den"),
        )
        .where(_DAILY.metric.not_in(without))
        .group_by(_DAILY.metric, _DAILY.day, _DAILY.bin, _DAILY.dims)
        .having(or_(func.sum(_DAILY.num) != 0, func.sum(_DAILY.den) != 0))
    )
    for name, totals in (("total", cells), ("daily", days)):
        columns = totals.subquery(name).c
        yield Part(name=name, key=columns.key, columns=[it for it in columns if it.name != "key"])


_JOINED: Final = (
    select(_PERSON.subject_id, _PERSON.root, _PERSON.created, _PERSON.erased)
    .where(
        ~and_(
            _PERSON.root == _PERSON.subject_id, _PERSON.created.is_(None), _PERSON.erased.is_(None)
        )
    )
    .subquery("joined")
    .c
)
"""Without those of whom the row says nothing: who was joined and parted again."""

_PARTS: Final = (
    Part(
        name="entity",
        key=_ENTITY.id,
        columns=(_ENTITY.kind, _ENTITY.first_at, _ENTITY.last_at),
    ),
    Part(name="purchase", key=_PURCHASE.subject_id, columns=tuple(_PURCHASE)),
    Part(name="contract", key=_CONTRACT.subject_id, columns=tuple(_CONTRACT)),
    Part(name="activity", key=tables.activity.c.subject_id, columns=tuple(tables.activity.c)),
    Part(name="person", key=_JOINED.subject_id, columns=tuple(_JOINED)),
)


def projection(settings: MetricsSettings, begun: Collection[str] = ()) -> Projection:
    """The KPIs as this deployment defines them.

    `begun`: versions of definitions that a rebuild begins to keep; they are compared with nothing.
    """
    metrics = sorted(name for definition in begun for name in metrics_of(definition))
    return Projection(
        name="metrics",
        subscription=subscription(settings.options(), settings.definitions()),
        metadata=tables.metadata,
        tables=(
            tables.entity,
            tables.dims,
            tables.cell,
            tables.daily,
            tables.kept,
            tables.purchase,
            tables.contract,
            tables.activity,
            tables.person,
        ),
        parts=(*_totals(metrics), *_PARTS),
        subjects=subjects,
        carry_over=partial(_carry_over, metrics),
        seed=partial(_seed, settings, begun),
    )

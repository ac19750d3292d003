"""What the KPIs' projection consists of, for those who build it again and compare it.

Published days, the ledger, targets and fitted models are not of it: what was told stays told.
"""

from collections.abc import Collection, Sequence
from typing import Final

from rapport_events.envelope import Record
from rapport_runtime.rebuild import Beside, Part, Projection
from sqlalchemy import Date, Executable, and_, func, literal_column, or_, select, text

from rapport_metrics import tables
from rapport_metrics.consumer import subscription
from rapport_metrics.settings import MetricsSettings

_READERS_FIRST: Final = "SET LOCAL lock_timeout = '300ms'"
"""Who asks for the view meanwhile waits behind us: rather let them pass, and try again."""

_VIEWS: Final = (
    """
    CREATE OR REPLACE VIEW bought AS
    SELECT coalesce(person.root, purchase.subject_id) AS person, purchase.at, purchase.net
    FROM {0}.purchase LEFT JOIN {0}.person USING (subject_id) WHERE person.erased IS NULL
    """,
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
WHERE bucket < (SELECT closed_until FROM closing WHERE id = 1)
GROUP BY 1, 2 HAVING sum(num) <> 0 OR sum(den) <> 0
"""
"""So that the ledger still adds up where somebody promotes a version that differs."""


def subjects(record: Record) -> Collection[str]:
    return () if record.envelope.subject is None else (record.envelope.subject,)


def carry_over(beside: Beside) -> Sequence[Executable]:
    """The views move to the tables that become live, and what that changes is restated."""
    schema = beside(tables.cell).schema
    return [text(statement.format(schema)) for statement in (_RESTATE, _READERS_FIRST, *_VIEWS)]


_CELL: Final = tables.cell.c
_DIMS: Final = tables.dims.c
_PERSON: Final = tables.person.c
_ENTITY: Final = tables.entity.c
_PURCHASE: Final = tables.purchase.c
_CONTRACT: Final = tables.contract.c

_DAY: Final = literal_column("DATE '1970-01-01' + bucket / 1440", Date)

_TOTAL: Final = (
    select(
        func.concat(_CELL.metric, " ", _DAY).label("key"),
        _CELL.bucket,
        _CELL.bin,
        *(column for column in _DIMS if column.name != "id"),
        func.sum(_CELL.num).label("num"),
        func.sum(_CELL.den).label("den"),
    )
    .join_from(tables.cell, tables.dims, _CELL.dims == _DIMS.id, isouter=True)
    .group_by(_CELL.metric, _CELL.bucket, _CELL.bin, _DIMS.id)
    .having(or_(func.sum(_CELL.num) != 0, func.sum(_CELL.den) != 0))
    .subquery("total")
    .c
)
"""What the writers of a total add up to: who wrote which part is up to how batches fell."""

_DAILY: Final = tables.daily.c
_DAY_OF_DAILY: Final = literal_column("DATE '1970-01-01' + day", Date)

_DAY_TOTAL: Final = (
    select(
        func.concat(_DAILY.metric, " ", _DAY_OF_DAILY).label("key"),
        _DAILY.dims,
        _DAILY.bin,
        func.sum(_DAILY.num).label("num"),
        func.sum(_DAILY.den).label("den"),
    )
    .group_by(_DAILY.metric, _DAILY.day, _DAILY.bin, _DAILY.dims)
    .having(or_(func.sum(_DAILY.num) != 0, func.sum(_DAILY.den) != 0))
    .subquery("day_total")
    .c
)

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
    Part(name="total", key=_TOTAL.key, columns=[it for it in _TOTAL if it.name != "key"]),
    Part(name="daily", key=_DAY_TOTAL.key, columns=[it for it in _DAY_TOTAL if it.name != "key"]),
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


def projection(settings: MetricsSettings) -> Projection:
    """The KPIs as this deployment defines them."""
    return Projection(
        name="metrics",
        subscription=subscription(settings.options()),
        metadata=tables.metadata,
        tables=(
            tables.entity,
            tables.dims,
            tables.cell,
            tables.daily,
            tables.purchase,
            tables.contract,
            tables.activity,
            tables.person,
        ),
        parts=_PARTS,
        subjects=subjects,
        carry_over=carry_over,
    )

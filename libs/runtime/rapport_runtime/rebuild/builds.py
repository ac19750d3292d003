"""The list of rebuilds: what an operator sees, and where a killed one goes on."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    JSON,
    TIMESTAMP,
    BigInteger,
    Column,
    Identity,
    MetaData,
    Row,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

BUILDING: Final = "building"
BUILT: Final = "built"
PROMOTED: Final = "promoted"
ROLLED_BACK: Final = "rolled_back"
ABANDONED: Final = "abandoned"

_UNFINISHED: Final = (BUILDING, BUILT)


class Build(NamedTuple):
    """One rebuild."""

    id: int
    status: str
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    report: dict[str, Any] | None


def projection_build(metadata: MetaData) -> Table:
    """Add the table to a service's `metadata`, so that its Alembic sees it."""
    return Table(
        "projection_build",
        metadata,
        Column("id", BigInteger, Identity(always=False), primary_key=True),
        Column("projector", Text, nullable=False),
        Column(
            "status",
            Text,
            nullable=False,
            comment="building, built, promoted, rolled_back or abandoned",
        ),
        Column("started_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
        Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
        Column("finished_at", TIMESTAMP(timezone=True)),
        Column("report", JSON, comment="Counts and differences, by digest"),
        comment="Each rebuild, and how it ended",
    )


_T: Final = projection_build(MetaData())
_COLUMNS: Final = [_T.c[name] for name in Build._fields]


async def start(connection: AsyncConnection, projector: str) -> int:
    """A new build; its id."""
    begun = insert(_T).values(projector=projector, status=BUILDING).returning(_T.c.id)
    return int((await connection.execute(begun)).scalar_one())


async def unfinished(connection: AsyncConnection, projector: str) -> Build | None:
    """The build that is neither promoted nor given up."""
    return await _newest(connection, projector, _UNFINISHED)


async def promoted(connection: AsyncConnection, projector: str) -> Build | None:
    """The build that became the live version last, unless it was rolled back."""
    return await _newest(connection, projector, (PROMOTED,))


async def note(
    connection: AsyncConnection, build: int, status: str, report: dict[str, Any] | None = None
) -> None:
    """Write down how far a build is; a report that was there stays unless there is a new one."""
    now = func.now()
    change: dict[str, Any] = {"status": status, "updated_at": now}
    if status not in _UNFINISHED:
        change["finished_at"] = now
    if report is not None:
        change["report"] = report
    await connection.execute(update(_T).where(_T.c.id == build).values(change))


async def newest(connection: AsyncConnection, projector: str, limit: int = 20) -> list[Build]:
    """Builds, newest first."""
    query = select(*_COLUMNS).where(_T.c.projector == projector)
    rows = await connection.execute(query.order_by(_T.c.id.desc()).limit(limit))
    return [_build(row) for row in rows]


async def _newest(
    connection: AsyncConnection, projector: str, statuses: tuple[str, ...]
) -> Build | None:
    query = select(*_COLUMNS).where(_T.c.projector == projector, _T.c.status.in_(statuses))
    row = (await connection.execute(query.order_by(_T.c.id.desc()).limit(1))).one_or_none()
    return None if row is None else _build(row)


def _build(row: Row[Any]) -> Build:
    return Build._make(row)

"""What each version had to park, when the versions change places."""

from typing import Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.rebuild.schemas import beside
from rapport_runtime.tables import TABLES

_LIVE: Final = TABLES.parked_event
_OWN: Final = [column for column in _LIVE.c if column.name != "id"]

_PLACE: Final = ("projector", "topic", "partition", "offset")

_REMEMBER: Final = text("""
    CREATE TEMP TABLE parked_before ON COMMIT DROP AS
    SELECT * FROM parked_event WHERE projector = :projector
""")


async def exchange(connection: AsyncConnection, projector: str, schema: str) -> None:
    """Afterwards waits what the version that becomes live could not apply, and nothing else.

    Rows and ids stay, so that an operator finds what they saw, and what was discarded stays so.
    """
    table = beside(schema)(_LIVE)
    # Under other names: two tables that differ in their schema alone would be ambiguous.
    other, live = table.alias("other"), _LIVE.alias("live")
    waits_there = exists().where(_same(other, _LIVE), other.c.settled_at.is_(None))
    ours = _LIVE.c.projector == projector
    await connection.execute(_REMEMBER, {"projector": projector})
    applied = {"settled_at": func.now(), "settled_as": "redriven"}
    waiting = _LIVE.c.settled_at.is_(None)
    await connection.execute(update(_LIVE).where(ours, waiting, ~waits_there).values(applied))
    again = _LIVE.c.settled_as.in_(("redriven", "repeat"))
    unsettled = {"settled_at": None, "settled_as": None}
    await connection.execute(update(_LIVE).where(ours, again, waits_there).values(unsettled))
    new = select(*(other.c[column.name] for column in _OWN)).where(
        other.c.projector == projector,
        other.c.settled_at.is_(None),
        ~exists().where(_same(other, live)),
    )
    await connection.execute(insert(_LIVE).from_select([c.name for c in _OWN], new))
    await connection.execute(delete(table).where(table.c.projector == projector))
    before = text("SELECT * FROM parked_before").columns(*_LIVE.c)
    names = [column.name for column in _LIVE.c]
    await connection.execute(insert(table).from_select(names, select(*before.subquery("before").c)))


def _same(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(*(one.c[name] == other.c[name] for name in _PLACE))

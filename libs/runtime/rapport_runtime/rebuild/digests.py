"""Two versions of a projection, compared key by key: two sorted streams, whatever their size."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final, NamedTuple

from sqlalchemy import ARRAY, Select, Text, Uuid, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.rebuild.projection import Part

_ROWS: Final = 5_000
"""Fetched at a time."""

MOST_LISTED: Final = 50
"""Differences of each part that a report names; it counts all."""


class Digest(NamedTuple):
    """All that a version holds of one key in one part."""

    key: str
    rows: int
    digest: str


class Difference(NamedTuple):
    """One key of which the versions hold something else."""

    subject: str
    part: str
    live_rows: int
    other_rows: int
    """Equal numbers: a row has another content."""


class Comparison(NamedTuple):
    """What was compared, and what differs."""

    keys: dict[str, int]
    """Part to the number of keys in either version."""
    differing: dict[str, int]
    """Part to the number of those that differ."""
    listed: list[Difference]


async def compare(
    live: AsyncConnection,
    other: AsyncConnection,
    parts: Sequence[Part],
    only: Collection[str] | None = None,
) -> Comparison:
    """The live version against another, each as its own connection sees it.

    `only`: keys to look at; all without it.
    """
    found = Comparison({}, {}, [])
    for part in parts:
        pairs = _pairs(_digests(live, part, only), _digests(other, part, only))
        keys = differing = 0
        async for here, there in pairs:
            keys += 1
            if here[1:] != there[1:]:
                differing += 1
                if differing <= MOST_LISTED:
                    key = here.key or there.key
                    found.listed.append(Difference(key, part.name, here.rows, there.rows))
        found.keys[part.name] = keys
        found.differing[part.name] = differing
    return found


async def _pairs(
    ones: AsyncIterator[Digest], others: AsyncIterator[Digest]
) -> AsyncIterator[tuple[Digest, Digest]]:
    """Both streams side by side; nothing, where one lacks a key, is a digest of no rows."""
    one, other = await anext(ones, None), await anext(others, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one.key < other.key):
            assert one is not None  # noqa: S101 - for the type checker
            yield one, Digest("", 0, "")
            one = await anext(ones, None)
        elif one is None or other.key < one.key:
            yield Digest("", 0, ""), other
            other = await anext(others, None)
        else:
            yield one, other
            one, other = await anext(ones, None), await anext(others, None)


async def _digests(
    connection: AsyncConnection, part: Part, only: Collection[str] | None
) -> AsyncIterator[Digest]:
    """In order of their keys; rows without a key come first, under the empty one."""
    async with connection.stream(
        _statement(part, only), execution_options={"yield_per": _ROWS}
    ) as rows:
        async for page in rows.partitions():
            for row in page:
                yield Digest(*row)


def _statement(part: Part, only: Collection[str] | None) -> Select[str, int, str]:
    key = part.key
    # Any hash will do: both versions are hashed by the same server. The sum does not ask for an
    # order of the rows, and needs no memory for a key that has millions of them.
    hashed = func.hash_record_extended(func.row(*part.columns), 0)
    # A uuid sorts as its text does; other keys must not sort by the rules of a language.
    order = key if isinstance(key.type, Uuid) else cast(key, Text).collate("C")
    query = select(func.coalesce(cast(key, Text), ""), func.count(), cast(func.sum(hashed), Text))
    if only is not None:
        query = query.where(key == func.any(cast(sorted(only), ARRAY(key.type))))
    return query.group_by(key).order_by(order.nulls_first())

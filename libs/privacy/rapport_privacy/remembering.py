"""Whose events are, as one process remembers it for a minute and asks the database beyond that."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_privacy import store
from rapport_privacy.cache import Bounds, Cache
from rapport_privacy.crypto import DataKey
from rapport_privacy.database import SECONDS, reachable
from rapport_privacy.deadline import in_time
from rapport_privacy.resolving import (
    SECONDS_PER_IDENTIFIER,
    Indexed,
    Known,
    Named,
    Resolved,
    Standing,
    Suppressed,
    answer,
    learn,
)
from rapport_privacy.root import RootKey


class Memory:
    """Who is behind which blind index, and the key of the month."""

    def __init__(
        self, engine: AsyncEngine, root: RootKey, bounds: Bounds, now: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._root = root
        self._now = now
        self._known: Cache[bytes, Standing] = Cache(bounds)
        self._months: Cache[str, DataKey] = Cache(bounds)

    async def resolve(self, batch: Sequence[Mapping[str, str]]) -> list[Resolved | Suppressed]:
        """As `Keyring.resolve`."""
        events, known, missing = self._recall(batch)
        if missing:
            # With all that an event names: a new name must not be linked to who was just erased.
            named = {
                index: (kind, one[kind])
                for one, indexed in zip(batch, events, strict=True)
                if not known.keys() >= set(indexed.values())
                for kind, index in indexed.items()
            }
            known |= await self._learn(events, named, known)
        stranger = None if all(events) else Resolved(None, (), await self._month_key())
        return [
            answer(indexed, known) if indexed or stranger is None else stranger
            for indexed in events
        ]

    def remembered(self, batch: Sequence[Mapping[str, str]]) -> list[Resolved | Suppressed] | None:
        """As `Keyring.remembered`."""
        events, known, missing = self._recall(batch)
        months = {} if all(events) else self._months.recall({self._month()})
        if missing or not (months or all(events)):
            return None
        stranger = next((Resolved(None, (), key) for key in months.values()), None)
        return [
            answer(indexed, known) if indexed or stranger is None else stranger
            for indexed in events
        ]

    def subjects(self, indexes: Collection[bytes]) -> tuple[dict[bytes, str], set[bytes]]:
        """The subjects that are remembered, and the indexes of which nothing is."""
        known = self._known.recall(set(indexes))
        found = {i: one.subject for i, one in known.items() if isinstance(one, Known)}
        return found, set(indexes) - known.keys()

    def forget(self) -> None:
        self._known.forget()
        self._months.forget()

    def _recall(
        self, batch: Sequence[Mapping[str, str]]
    ) -> tuple[list[Indexed], dict[bytes, Standing], bool]:
        """The batch by blind index, what is remembered of it, and whether something is not."""
        find = self._root.blind_index
        events: list[Indexed] = [
            {kind: find(kind, value) for kind, value in one.items()} for one in batch
        ]
        wanted = {index for indexed in events for index in indexed.values()}
        known = self._known.recall(wanted)
        return events, known, len(known) < len(wanted)

    def _month(self) -> str:
        return f"{self._now():%Y-%m}"

    async def _learn(
        self, events: Sequence[Indexed], named: Named, known: Mapping[bytes, Standing]
    ) -> dict[bytes, Standing]:
        stamp = self._known.stamp()
        seconds = SECONDS + SECONDS_PER_IDENTIFIER * len(named)
        async with reachable(None):
            found = await in_time(learn(self._engine, self._root, events, named, known), seconds)
        self._known.remember(found, stamp)
        return found

    async def _month_key(self) -> DataKey:
        """The key for facts that name nobody: one a month, so that they can expire by month."""
        month = self._month()
        known = self._months.recall({month})
        if month not in known:
            stamp = self._months.stamp()
            async with reachable(None):
                row = await in_time(self._look_for_month(month), SECONDS)
            known = {month: self._root.data_key(row.kid, None, row.wrapped)}
            self._months.remember(known, stamp)
        return known[month]

    async def _look_for_month(self, month: str) -> store.StoredKey:
        kid = str(uuid4())
        _, wrapped = self._root.new_data_key(kid, None)
        async with self._engine.begin() as tx:
            return await store.load_or_create_month_key(tx, month, kid, wrapped)

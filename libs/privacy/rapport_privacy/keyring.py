"""The keyring: who a customer is under which random id, and the key to what we know of them."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_privacy import erasure, reading, restore, store
from rapport_privacy.cache import Bounds, Cache
from rapport_privacy.crypto import ERASED, DataKey, Erased
from rapport_privacy.database import (
    OPEN_SECONDS,
    SECONDS,
    WRITE_SECONDS,
    KeyringUnavailableError,
    create_engine,
    reachable,
    require_current_schema,
    vacuum,
)
from rapport_privacy.deadline import in_time
from rapport_privacy.erasure import CertificateUsedError, Erasure
from rapport_privacy.ledger import LedgerEntry, LedgerHead, verify_chain
from rapport_privacy.ledger_rows import load_head, load_ledger
from rapport_privacy.master import MasterKey
from rapport_privacy.opening import StaleKeyringError, load_root, require_ledger
from rapport_privacy.resolving import (
    SECONDS_PER_IDENTIFIER,
    Indexed,
    Known,
    Named,
    Resolved,
    Standing,
    Suppressed,
    alias_place,
    answer,
    learn,
)
from rapport_privacy.restore import Reapplied
from rapport_privacy.root import RootKey, WrongMasterKeyError

__all__ = [
    "ERASED",
    "CertificateUsedError",
    "DataKey",
    "Erased",
    "Erasure",
    "Keyring",
    "KeyringUnavailableError",
    "KnownIdentifier",
    "LedgerEntry",
    "LedgerHead",
    "Reapplied",
    "Resolved",
    "StaleKeyringError",
    "Suppressed",
    "WrongMasterKeyError",
]

LONGEST_CACHE_SECONDS: Final = 60.0
"""Promised: a minute after an erasure no process can read the person any more."""

_CACHE_SIZE: Final = 50_000


@dataclass(frozen=True, slots=True)
class KnownIdentifier:
    """An identifier of a person, opened for somebody who may see it."""

    kind: str
    value: str = field(repr=False)
    since: datetime


class Keyring:
    """Holds a connection pool, the root key, and what it looked up in the last minute.

    Every method that looks into the database raises KeyringUnavailableError when it cannot, within
    about two seconds. Nothing ever falls back to clear text.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        pool: reading.Pool,
        root: RootKey,
        bounds: Bounds,
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._pool = pool
        # Reads need no BEGIN and COMMIT around them: two round trips less.
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._root = root
        self._now = now
        self._known: Cache[bytes, Standing] = Cache(bounds)
        self._keys: Cache[str, DataKey | Erased] = Cache(bounds)
        self._months: Cache[str, DataKey] = Cache(bounds)

    @classmethod
    async def open(
        cls,
        url: str,
        master: MasterKey,
        *,
        cache_seconds: float = LONGEST_CACHE_SECONDS,
        cache_size: int = _CACHE_SIZE,
        at_least: LedgerHead | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> "Keyring":
        """Opens the keyring at `url` (`postgresql+asyncpg://…`); the first one makes its root key.

        `at_least`: the head of a ledger copy that is kept elsewhere.
        Raises WrongMasterKeyError, OutdatedKeyringError, StaleKeyringError (restored from before
        `at_least`: reapply the ledger) and KeyringUnavailableError.
        """
        if cache_seconds > LONGEST_CACHE_SECONDS:
            raise ValueError(f"cache_seconds must be at most {LONGEST_CACHE_SECONDS:g}")
        engine = create_engine(url)
        try:
            async with reachable(OPEN_SECONDS), engine.begin() as tx:
                await require_current_schema(tx)
                root = await load_root(tx, master)
                if at_least is not None:
                    await require_ledger(tx, at_least)
        except BaseException:
            await engine.dispose()
            raise
        bounds = Bounds(seconds=cache_seconds, limit=cache_size, clock=clock)
        return cls(engine, await reading.open_pool(url), root, bounds, now)

    async def close(self) -> None:
        """Closes the connections and forgets what was looked up."""
        self._forget()
        self._pool.terminate()
        await self._engine.dispose()

    async def check(self) -> None:
        """Returns when the database answers; for health checks."""
        async with reachable(), self._reader.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def resolve(self, batch: Sequence[Mapping[str, str]]) -> list[Resolved | Suppressed]:
        """Whose each event is, in a constant number of statements, or none when all is cached.

        Each event: kind to NORMALISED value. Each identifier has a subject of its own, made when
        it is seen first; the event belongs to the strongest one's.
        """
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
        """What `resolve` would answer without a look at the database; None when it needs one."""
        events, known, missing = self._recall(batch)
        months = {} if all(events) else self._months.recall({self._month()})
        if missing or not (months or all(events)):
            return None
        stranger = next((Resolved(None, (), key) for key in months.values()), None)
        return [
            answer(indexed, known) if indexed or stranger is None else stranger
            for indexed in events
        ]

    async def find(self, kind: str, value: str) -> str | None:
        """The subject of a NORMALISED identifier, or None; creates nothing."""
        return (await self.find_many([(kind, value)])).get((kind, value))

    async def find_many(
        self, identifiers: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        """The subjects of those of the identifiers that are known, by (kind, value)."""
        by_index = {self._root.blind_index(*one): one for one in identifiers}
        known = self._known.recall(set(by_index))
        found = {i: one.subject for i, one in known.items() if isinstance(one, Known)}
        unknown = by_index.keys() - known.keys()
        if unknown:
            async with reachable():
                found |= await reading.load_subjects(self._pool, unknown)
        return {by_index[index]: subject for index, subject in found.items()}

    async def keys(self, kids: Collection[str]) -> dict[str, DataKey | Erased]:
        """The keys by their ids; ERASED for each that there is not, whatever the reason."""
        wanted = set(kids)
        keys = self._keys.recall(wanted)
        unknown = wanted - keys.keys()
        if unknown:
            keys |= await self._load_keys(unknown)
        return keys

    async def identifiers(self, subjects: Collection[str]) -> dict[str, list[KnownIdentifier]]:
        """What each subject is called, the oldest first; an empty list for who was erased."""
        known: dict[str, list[KnownIdentifier]] = {subject: [] for subject in subjects}
        stamp = self._keys.stamp()
        async with reachable():
            rows = await reading.load_identifiers(self._pool, known)
        keys: dict[str, DataKey | Erased] = {}
        for row in rows:
            key = self._root.data_key(row.key.kid, row.subject_id, row.key.wrapped)
            place = alias_place(row.subject_id, row.kind, row.blind_index)
            value = key.unseal(row.sealed, place).decode()
            known[row.subject_id].append(KnownIdentifier(row.kind, value, row.since))
            keys[row.key.kid] = key
        # Whoever asks what somebody is called is about to open their events.
        self._keys.remember(keys, stamp)
        return known

    async def erase(
        self, subjects: Collection[str], *, certificate_id: str, dry_run: bool = False
    ) -> Erasure:
        """Destroys all keys and identifiers of the subjects, and suppresses the identifiers.

        One transaction. When it returns, no process started later can read them; this one cannot
        any more, others for as long as their cache lasts. May be repeated with its certificate.
        `dry_run` counts and changes nothing. Raises CertificateUsedError.
        """
        if dry_run:
            async with reachable(), self._reader.connect() as tx:
                return await erasure.rehearse(tx, subjects, certificate_id)
        try:
            async with reachable(WRITE_SECONDS), self._engine.begin() as tx:
                return await erasure.erase(
                    tx,
                    subjects,
                    certificate_id=certificate_id,
                    at=self._now(),
                    suppress=self._root.suppression,
                )
        finally:
            # Also when the connection broke: the commit may have arrived.
            self._forget()

    async def ledger_head(self) -> LedgerHead:
        """To be kept outside of the database, and given to `open` as `at_least`."""
        async with reachable(), self._reader.connect() as tx:
            return await load_head(tx)

    async def export_ledger(self, *, after: int = 0) -> list[LedgerEntry]:
        """The erasures numbered above `after`. Keep a copy apart from the backups.

        Raises TamperedError when the whole ledger is asked for and its chain is broken.
        """
        async with reachable(WRITE_SECONDS), self._reader.connect() as tx:
            entries = await load_ledger(tx, after=after)
        if after == 0:
            verify_chain(entries)
        return entries

    async def reapply_ledger(self, entries: Sequence[LedgerEntry]) -> Reapplied:
        """Does the erasures of a ledger copy again, after an older backup was restored."""
        try:
            async with reachable(WRITE_SECONDS), self._engine.begin() as tx:
                return await restore.reapply(tx, entries, suppress=self._root.suppression)
        finally:
            self._forget()

    async def vacuum(self) -> None:
        """Rewrites the tables that keys were deleted from, so that the disk forgets them too.

        Keyring users wait meanwhile: seconds for a million keys.
        """
        async with reachable(None):
            await vacuum(self._engine.url)

    def seal_local(self, purpose: str, plaintext: bytes) -> bytes:
        """Seals what belongs to no person (yet), such as a payload in quarantine."""
        return self._root.seal_local(purpose, plaintext)

    def open_local(self, purpose: str, sealed: bytes) -> bytes:
        """What `seal_local` was given for the same purpose. Raises TamperedError."""
        return self._root.open_local(purpose, sealed)

    def mac_local(self, purpose: str, payload: bytes) -> bytes:
        """Knows a payload again without keeping it: a keyed hash of 256 bits."""
        return self._root.mac_local(purpose, payload)

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

    async def _load_keys(self, kids: Collection[str]) -> dict[str, DataKey | Erased]:
        stamp = self._keys.stamp()
        keys: dict[str, DataKey | Erased] = dict.fromkeys(kids, ERASED)
        # Whoever can write to the log can write any text where a key id should be.
        wanted = [kid for kid in kids if _is_key_id(kid)]
        async with reachable():
            rows = await reading.load_keys(self._pool, wanted)
        for kid, row in rows.items():
            keys[kid] = self._root.data_key(kid, row.subject_id, row.wrapped)
        self._keys.remember(keys, stamp)
        return keys

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

    def _forget(self) -> None:
        for cache in (self._known, self._keys, self._months):
            cache.forget()


def _is_key_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False

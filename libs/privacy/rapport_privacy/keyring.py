"""The keyring: who a customer is under which random id, and the key to what we know of them."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_privacy import reading
from rapport_privacy.cache import Bounds
from rapport_privacy.crypto import ERASED, DataKey, Erased
from rapport_privacy.database import (
    OPEN_SECONDS,
    SECONDS,
    KeyringUnavailableError,
    create_engine,
    reachable,
    require_current_schema,
)
from rapport_privacy.erasure import CertificateUsedError, Erasure
from rapport_privacy.expiry import Expired
from rapport_privacy.keys import Keys
from rapport_privacy.ledger import LedgerEntry, LedgerHead
from rapport_privacy.lifting import Lifted
from rapport_privacy.listening import listen
from rapport_privacy.master import MasterKey
from rapport_privacy.opening import StaleKeyringError, load_root, require_ledger
from rapport_privacy.remembering import Memory
from rapport_privacy.resolving import Resolved, Suppressed, alias_place
from rapport_privacy.restore import Reapplied
from rapport_privacy.root import RootKey, WrongMasterKeyError
from rapport_privacy.upkeep import Upkeep

__all__ = [
    "ERASED",
    "CertificateUsedError",
    "DataKey",
    "Erased",
    "Erasure",
    "Expired",
    "Keyring",
    "KeyringUnavailableError",
    "KnownIdentifier",
    "LedgerEntry",
    "LedgerHead",
    "Lifted",
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


class Keyring(Upkeep):
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
        super().__init__(engine, root, now, self._forget_all)
        self._pool = pool
        self._memory = Memory(engine, root, bounds, now)
        self._keys = Keys(pool, root, bounds)
        url, self._hears = engine.url.render_as_string(hide_password=False), asyncio.Event()
        self._listening = asyncio.create_task(listen(url, self._forget_all, self._hears))

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
        keyring = cls(engine, await reading.open_pool(url), root, bounds, now)
        await keyring._hear()
        return keyring

    async def _hear(self) -> None:
        """Returns when erasures by others are heard of, or after two seconds without."""
        try:
            await asyncio.wait_for(self._hears.wait(), SECONDS)
        except TimeoutError:
            return

    async def close(self) -> None:
        """Closes the connections and forgets what was looked up."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._forget_all()
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
        return await self._memory.resolve(batch)

    def remembered(self, batch: Sequence[Mapping[str, str]]) -> list[Resolved | Suppressed] | None:
        """What `resolve` would answer without a look at the database; None when it needs one."""
        return self._memory.remembered(batch)

    async def find(self, kind: str, value: str) -> str | None:
        """The subject of a NORMALISED identifier, or None; creates nothing."""
        return (await self.find_many([(kind, value)])).get((kind, value))

    async def find_many(
        self, identifiers: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        """The subjects of those of the identifiers that are known, by (kind, value)."""
        by_index = {self._root.blind_index(*one): one for one in identifiers}
        found, unknown = self._memory.subjects(by_index)
        if unknown:
            async with reachable():
                found |= await reading.load_subjects(self._pool, unknown)
        return {by_index[index]: subject for index, subject in found.items()}

    async def keys(self, kids: Collection[str]) -> dict[str, DataKey | Erased]:
        """The keys by their ids; ERASED for each that the ledger says was destroyed.

        A key that is in neither was lost, or is none at all: it is left out.
        """
        return await self._keys.by_id(kids)

    async def keys_of(self, subjects: Collection[str]) -> dict[str, DataKey | Erased]:
        """The keys that new facts about these subjects are sealed with; ERASED for the erased.

        Who was never seen, or whose key was lost, is left out.
        """
        return await self._keys.of_subjects(subjects)

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

    def seal_local(self, purpose: str, plaintext: bytes) -> bytes:
        """Seals what belongs to no person (yet), such as a payload in quarantine."""
        return self._root.seal_local(purpose, plaintext)

    def open_local(self, purpose: str, sealed: bytes) -> bytes:
        """What `seal_local` was given for the same purpose. Raises TamperedError."""
        return self._root.open_local(purpose, sealed)

    def mac_local(self, purpose: str, payload: bytes) -> bytes:
        """Knows a payload again without keeping it: a keyed hash of 256 bits."""
        return self._root.mac_local(purpose, payload)

    def _forget_all(self) -> None:
        self._memory.forget()
        self._keys.forget()

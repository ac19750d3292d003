"""The keys that one process has looked up in the last minute, by their id and by their person."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from rapport_privacy import reading
from rapport_privacy.cache import Bounds, Cache, Stamp
from rapport_privacy.crypto import ERASED, DataKey, Erased
from rapport_privacy.database import reachable
from rapport_privacy.root import RootKey

_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII)


class Keys:
    """What there is of keys; asks the database for what is not remembered."""

    def __init__(self, pool: reading.Pool, root: RootKey, bounds: Bounds) -> None:
        self._pool = pool
        self._root = root
        self._by_id: Cache[str, DataKey | Erased] = Cache(bounds)
        self._by_subject: Cache[str, DataKey | Erased] = Cache(bounds)

    async def by_id(self, kids: Collection[str]) -> dict[str, DataKey | Erased]:
        """As `Keyring.keys`."""
        wanted = set(kids)
        keys = self._by_id.recall(wanted)
        unknown = wanted - keys.keys()
        if unknown:
            keys |= await self._load(unknown)
        return keys

    async def of_subjects(self, subjects: Collection[str]) -> dict[str, DataKey | Erased]:
        """As `Keyring.keys_of`."""
        wanted = set(subjects)
        keys = self._by_subject.recall(wanted)
        unknown = [subject for subject in wanted - keys.keys() if _is_id(subject)]
        if unknown:
            keys |= await self._load_of(unknown)
        return keys

    def stamp(self) -> Stamp:
        """To be taken before a look that finds keys on its way."""
        return self._by_id.stamp()

    def remember(self, keys: Mapping[str, DataKey | Erased], stamp: Stamp) -> None:
        """Keeps what such a look found, by key id."""
        self._by_id.remember(keys, stamp)

    def forget(self) -> None:
        self._by_id.forget()
        self._by_subject.forget()

    async def _load(self, kids: Collection[str]) -> dict[str, DataKey | Erased]:
        stamp = self._by_id.stamp()
        # Whoever can write to the log can write any text where a key id should be.
        wanted = [kid for kid in kids if _is_id(kid)]
        async with reachable():
            rows = await reading.load_keys(self._pool, wanted)
            missing = set(wanted) - rows.keys()
            gone = await reading.load_destroyed(self._pool, missing) if missing else set()
        keys: dict[str, DataKey | Erased] = dict.fromkeys(gone, ERASED)
        for kid, row in rows.items():
            keys[kid] = self._root.data_key(kid, row.subject_id, row.wrapped)
        self._by_id.remember(keys, stamp)
        return keys

    async def _load_of(self, subjects: Collection[str]) -> dict[str, DataKey | Erased]:
        stamp = self._by_subject.stamp()
        async with reachable():
            rows, erased = await reading.load_keys_of(self._pool, subjects)
        keys: dict[str, DataKey | Erased] = dict.fromkeys(erased, ERASED)
        for subject, row in rows.items():
            keys[subject] = self._root.data_key(row.kid, subject, row.wrapped)
        self._by_subject.remember(keys, stamp)
        return keys


def _is_id(text: str) -> bool:
    return _UUID.fullmatch(text) is not None

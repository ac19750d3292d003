"""States that were folded lately, so that a busy customer is not unpacked for every batch.

A state is remembered under its packed bytes, and given only to who read just these bytes from
the database, in the transaction that locked the row. So it cannot be stale, whatever other workers,
rolled-back transactions or rebalances do: other bytes are another key.
"""

from rapport_profile.domain.state import Profile, unpack

_MOST = 20_000
"""About 4 kB a person: 80 MB when full."""


class Memory:
    """Profiles by their packed bytes. Each is handed out once, because a fold writes into it."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._profiles: dict[bytes, Profile] = {}

    def __len__(self) -> int:
        return len(self._profiles)

    def take(self, packed: bytes) -> Profile:
        """The profile of these bytes; it is the caller's from now on."""
        profile = self._profiles.pop(packed, None)
        return unpack(packed) if profile is None else profile

    def keep(self, packed: bytes, profile: Profile) -> None:
        """Remembers a profile that the caller will not touch again."""
        while len(self._profiles) >= self._most:
            del self._profiles[next(iter(self._profiles))]
        self._profiles[packed] = profile

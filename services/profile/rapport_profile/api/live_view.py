"""The 360° view as a stream tells it: whole at first, then only the parts that changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson
from rapport_runtime.pool import Snapshot

from rapport_profile import queries
from rapport_profile.api.profiles import portray
from rapport_profile.api.visit import Moment, Visit
from rapport_profile.mask import Mask
from rapport_profile.queries import Person
from rapport_profile.reader import Stored

ALWAYS: Final = frozenset({"subject", "subjects", "meta"})
"""Parts that every change brings."""


class Look(NamedTuple):
    """A person at one moment, with the events that tell their traits."""

    moment: Moment
    person: Person
    trait_events: Sequence[Stored]


@dataclass(slots=True)
class LiveView:
    """What one client has of the view; a digest of each part, for the whole would be large."""

    visit: Visit
    parts: Collection[str]
    _had: dict[str, bytes] = field(default_factory=dict)

    def forget(self) -> None:
        """The client gets all parts again."""
        self._had = {}

    async def look(self, snap: Snapshot, moment: Moment, person: Person) -> Look:
        with_traits = "traits" in self.parts
        told = await queries.load_trait_events(snap, person.members) if with_traits else []
        return Look(moment, person, told)

    async def news(self, look: Look, mask: Mask) -> dict[str, Any]:
        """The document with the parts that the client does not have, and with those of ALWAYS.

        Raises KeyringUnavailableError.
        """
        shown = await portray(self.visit, *look, self.parts, mask)
        document = shown.model_dump(mode="json", exclude_unset=True, by_alias=True)
        return {
            name: part
            for name, part in document.items()
            if name in ALWAYS or self._is_news(name, part)
        }

    def _is_news(self, name: str, part: object) -> bool:
        digest = blake2b(orjson.dumps(part), digest_size=16).digest()
        is_news = self._had.get(name) != digest
        self._had[name] = digest
        return is_news

"""The triggers and policies that hold at the moment, as the database has them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import orjson
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.documents import read_trigger
from rapport_personalization.domain.candidates import Catalogue, catalogue
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.scene import Candidate
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.settings import PersonalizationSettings, PolicySettings

_ACTIVE: Final = """
SELECT trigger, version::text, state, since FROM trigger_version
WHERE state IN ('live', 'shadow', 'paused')
"""

_SOURCES: Final = """
SELECT trigger, version::text, source FROM trigger_version
WHERE (trigger, version::text) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

_POLICIES: Final = """
SELECT version, document::text, (SELECT max(since) FROM scoring)
FROM (SELECT) AS always LEFT JOIN LATERAL (
    SELECT version, document FROM policies WHERE version = coalesce($1, version)
    ORDER BY version DESC LIMIT 1
) AS newest ON true
"""

_CLV_TOPS: Final = """
SELECT since, clv_top FROM scoring WHERE since IS NOT NULL AND clv_top IS NOT NULL ORDER BY since
"""

Version = tuple[str, str]
"""Trigger and version: its document never changes."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one transaction goes by."""

    known: Catalogue
    """Triggers that consider what happens: those that are live or in shadow."""
    triggers: Mapping[str, Trigger]
    """The same by their id."""
    shadow: frozenset[str]
    paused: Mapping[str, str | None]
    """Triggers of which a version pauses, and the version that is in force meanwhile: a shadow.

    Nobody is decided on by any other version of theirs, for those that were replaced go by the
    one that pauses.
    """
    since: Mapping[str, datetime]
    """Of those that are live or in shadow."""
    policies: Policies

    def starts(self, candidate: Candidate) -> bool:
        """Whether its event happened since the trigger has been live."""
        since = self.since.get(candidate.trigger)
        return since is None or candidate.at >= since


class Rulebook:
    """Loads them, and remembers the documents it has read."""

    def __init__(self, settings: PersonalizationSettings) -> None:
        self._settings = settings
        self._triggers: dict[Version, Trigger] = {}
        self._known: tuple[frozenset[Version], Catalogue] | None = None
        self._tops: tuple[tuple[datetime, float], ...] = ()
        self._newest_top: datetime | None = None

    async def load(self, tx: AsyncConnection) -> Rules:
        """Those that hold now."""
        rows = await (await driver(tx)).fetch(_ACTIVE)
        active = {(row[0], row[1]) for row in rows if row[2] != "paused"}
        await self.versions(tx, active)
        known = self._catalogue(frozenset(active))
        in_force = {trigger.id: trigger for trigger in known.triggers}
        paused = {row[0] for row in rows if row[2] == "paused"}
        return Rules(
            known=known,
            triggers=in_force,
            shadow=frozenset(row[0] for row in rows if row[2] == "shadow"),
            paused={one: in_force[one].version if one in in_force else None for one in paused},
            since={row[0]: row[3] for row in rows if row[2] != "paused" and row[3] is not None},
            policies=await self.policies(tx),
        )

    async def versions(
        self, tx: AsyncConnection, wanted: Collection[Version]
    ) -> Mapping[Version, Trigger]:
        """Also those that are not live any more: who waits is treated by what they began with."""
        missing = [one for one in wanted if one not in self._triggers]
        if missing:
            columns = map(list, zip(*missing, strict=True))
            for trigger, version, source in await (await driver(tx)).fetch(_SOURCES, *columns):
                self._triggers[trigger, version] = read_trigger(source, version)
        return {one: self._triggers[one] for one in wanted if one in self._triggers}

    async def policies(self, tx: AsyncConnection) -> Policies:
        """The newest that were set, or else those of the settings, which are version 0."""
        return await self._observed(tx, None)

    async def policies_of(self, tx: AsyncConnection, version: str) -> Policies:
        """Those that a decision names; version 0 is the settings as they are now."""
        return await self._observed(tx, int(version))

    async def _observed(self, tx: AsyncConnection, wanted: int | None) -> Policies:
        connection = await driver(tx)
        version, document, newest = await connection.fetchrow(_POLICIES, wanted)
        if newest != self._newest_top:
            tops = await connection.fetch(_CLV_TOPS)
            self._newest_top, self._tops = newest, tuple((row[0], row[1]) for row in tops)
        if version is None:
            return self._policies("0", self._settings.policies)
        return self._policies(str(version), PolicySettings.model_validate(orjson.loads(document)))

    def _policies(self, version: str, given: PolicySettings) -> Policies:
        settings = self._settings
        found = given.policies(version, settings.tenant, settings.deciding.too_late_hours)
        return replace(found, clv_tops=self._tops)

    def _catalogue(self, active: frozenset[Version]) -> Catalogue:
        if self._known is None or self._known[0] != active:
            self._known = (active, catalogue(self._triggers[one] for one in active))
        return self._known[1]

"""The Kafka door: keeps what decides who is spoken to level with the log."""

from collections.abc import Sequence
from typing import Final

from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS
from rapport_runtime.subscription import Derived, Subscription
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.settings import PersonalizationSettings

PROJECTOR: Final = "personalization.v1"
TOPICS: Final = (INTERACTIONS.name, CUSTOMERS.name, FEEDBACK.name, ENGAGEMENT.name)


def subscription(settings: PersonalizationSettings) -> Subscription:
    """The projection under these settings."""

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        return await _apply(tx, batch, settings)

    return Subscription(name=PROJECTOR, topics=TOPICS, apply=apply)


async def _apply(
    _tx: AsyncConnection, _batch: Sequence[Record], _settings: PersonalizationSettings
) -> Sequence[Derived]:
    return ()

"""A personalization service to be measured, and the log that it reads."""

import base64
import os
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from rapport_cli.stack.databases import drop_database
from rapport_events.codec import encode
from rapport_personalization.catalogue import install
from rapport_personalization.main import make_resources, make_shop
from rapport_personalization.settings import PersonalizationSettings
from rapport_personalization.worker import Shop
from rapport_privacy.keyring import Resolved
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_privacy.wiring import open_keyring
from rapport_runtime.database import migrate
from sqlalchemy import text

from bench.servers import Servers
from bench.workload import LogEntry

_KEYS_A_TIME: Final = 500
_MIX: Final = (
    ("product.viewed.v1", 40),
    ("cart.updated.v1", 15),
    ("order.placed.v1", 12),
    ("order.shipped.v1", 10),
    ("order.delivered.v1", 8),
    ("ticket.created.v1", 5),
    ("ticket.resolved.v1", 4),
    ("survey.responded.v1", 4),
    ("consent.granted.v1", 2),
)
_WEIGHTED: Final = tuple(zip(*_MIX, strict=True))


@asynccontextmanager
async def open_shop(servers: Servers, name: str, **more: object) -> AsyncIterator[Shop]:
    """With a database of its own and the whole catalogue live, for nobody asleep."""
    databases = [f"bench_personalization_{name}", f"bench_personalization_keys_{name}"]
    urls = [await servers.postgres.create_database(one) for one in databases]
    await migrate("rapport_personalization", urls[0])
    await migrate_keyring(urls[1])
    settings = settings_of(servers, urls[0], urls[1], **more)
    keyring, resources = await open_keyring(settings.keyring), make_resources(settings)
    try:
        await install(resources.engine, None)
        async with resources.engine.begin() as tx:
            await tx.execute(text("UPDATE trigger_version SET since = now() - interval '1 year'"))
        yield make_shop(settings, resources, keyring)
    finally:
        await keyring.close()
        await resources.engine.dispose()
        for one in databases:
            await drop_database(servers.postgres.admin_url, one)


def settings_of(
    servers: Servers, database: str, keyring: str, **more: object
) -> PersonalizationSettings:
    master = base64.b64encode(os.urandom(32)).decode()
    kafka = {"bootstrap": servers.broker.bootstrap, "idempotence": servers.broker.idempotent}
    return PersonalizationSettings.model_validate(
        {
            "kafka": kafka,
            "database": {"url": database},
            "keyring": {"url": keyring, "master_key": master},
            "keys_file": "/nowhere",
            "policies": {"control": 0, "quiet_from": "00:00", "quiet_until": "00:00"},
            **more,
        }
    )


async def people_of(shop: Shop, number: int) -> list[str]:
    """As many customers whom the keyring knows."""
    found: list[str] = []
    for start in range(0, number, _KEYS_A_TIME):
        count = min(_KEYS_A_TIME, number - start)
        answers = await shop.keyring.resolve([{"user_id": uuid4().hex} for _ in range(count)])
        found += [str(one.subject) for one in answers if isinstance(one, Resolved)]
    return found


def entries(people: Sequence[str], events: int, now: datetime | None = None) -> Iterator[LogEntry]:
    """What customers of a shop do, told as it happens, up to `now`."""
    chance, end = random.Random(1), now or datetime.now(UTC)
    for number in range(events):
        person = chance.choice(people)
        at = end - timedelta(milliseconds=10 * (events - number))
        yield entry(person, entry_type(chance), at, number, chance)


def entry_type(chance: random.Random) -> str:
    """As often as customers of a shop do it."""
    type_: str = chance.choices(*_WEIGHTED)[0]
    return type_


def entry(person: str, type_: str, at: datetime, number: int, chance: random.Random) -> LogEntry:
    attributes: dict[str, Any] = {
        "id": f"evt-{number:09d}-{uuid4().hex[:8]}",
        "source": "/shop",
        "type": type_,
        "time": at,
        "recordedtime": at,
        "subject": person,
        "linked": str(uuid4()),
        "identifiedby": "user_id,email",
        "channel": "web",
    }
    value = encode(attributes, _data(type_, number, chance))
    return LogEntry(person.encode(), value, "/shop", attributes["id"])


def _data(type_: str, number: int, chance: random.Random) -> dict[str, Any]:
    order, ticket = f"o-{number // 20}", f"t-{number // 20}"
    match type_:
        case "product.viewed.v1":
            return {"product": f"p-{chance.randrange(500)}"}
        case "cart.updated.v1":
            return {"cart": f"c-{number}", "value": chance.randrange(20_000), "currency": "EUR"}
        case "order.placed.v1":
            return {"order": order, "amount": chance.randrange(1, 30_000), "currency": "EUR"}
        case "order.shipped.v1" | "order.delivered.v1":
            return {"order": order}
        case "ticket.created.v1":
            return {"ticket": ticket, "priority": "normal"}
        case "survey.responded.v1":
            return {"survey": f"s-{number}", "kind": "nps", "score": chance.randrange(11)}
        case "consent.granted.v1":
            return {"channel": "email", "purpose": "marketing"}
        case _:
            return {"ticket": ticket}

"""The whole house around a privacy desk: ingest, profile with its workers, broker and databases."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INBOUND, INTERACTIONS
from rapport_privacy.crypto import MasterKey
from rapport_privacy.keyring import Keyring
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_profile import main
from rapport_profile.settings import ProfileSettings
from rapport_runtime.database import migrate
from rapport_runtime.http.auth import Keys
from rapport_runtime.serve import Component
from rapport_runtime.subscription import Resources

from tests.support.fixtures import MakeDatabase
from tests.support.ingest_house import PARTITIONS, Ingest, Secrets, an_id, open_ingest, settings_of
from tests.support.privacy import rows_of
from tests.support.profile_house import prepare_profile
from tests.support.publishers import cloudevent

DESK = "/v1/privacy/requests"
_PATIENCE = 60.0
_LOOK_AGAIN = 0.05


@dataclass(frozen=True)
class Databases:
    """URLs of one house."""

    ingest: str
    profile: str
    keyring: str


@dataclass
class DeskHouse:
    """Everything that an erasure touches, in this process."""

    ingest: Ingest
    client: httpx2.AsyncClient
    keyring: Keyring
    resources: Resources
    settings: ProfileSettings
    secrets: Secrets
    databases: Databases

    async def send(self, *events: Mapping[str, Any]) -> str:
        """Publishes events, all of which must be accepted; the consistency token."""
        answer = await self.ingest.send("/v1/events", list(events), caller="everything")
        assert answer["rejected"] == [], answer
        token: str = answer["consistency_token"]
        return token

    async def ask(
        self,
        kind: str,
        *,
        caller: str = "everything",
        token: str | None = None,
        **asked: Any,  # noqa: ANN401 - any JSON
    ) -> httpx2.Response:
        """A request at the desk."""
        headers = self._headers(caller, token)
        return await self.client.post(DESK, json={"kind": kind, **asked}, headers=headers)

    async def erase(self, token: str | None = None, **identifiers: str) -> dict[str, Any]:
        """The certificate of a completed erasure."""
        answer = await self.ask("erasure", token=token, identifiers=identifiers)
        assert answer.status_code == 201, answer.text
        return await self.certificate(answer.json()["id"])

    async def certificate(self, request: str) -> dict[str, Any]:
        """Waits until every projection has reported."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                found = await self.read(f"{DESK}/{request}/certificate")
                if found["complete"]:
                    return found
                await asyncio.sleep(_LOOK_AGAIN)

    async def export(self, token: str | None = None, **identifiers: str) -> list[dict[str, Any]]:
        """The lines of an access export."""
        answer = await self.ask("access", token=token, identifiers=identifiers)
        assert answer.status_code == 201, answer.text
        lines = await self.get(answer.json()["export"])
        assert lines.status_code == 200, lines.text
        assert lines.headers["content-type"] == "application/x-ndjson"
        return [orjson.loads(line) for line in lines.content.splitlines()]

    async def get(self, path: str, token: str | None = None) -> httpx2.Response:
        return await self.client.get(path, headers=self._headers("everything", token))

    async def read(self, path: str, token: str | None = None) -> dict[str, Any]:
        answer = await self.get(path, token)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def _headers(self, caller: str, token: str | None) -> dict[str, str]:
        headers = {**self.ingest.auth(caller), "prefer": "wait=10"}
        return headers if token is None else {**headers, "consistency-token": token}


async def make_databases(new_database: MakeDatabase) -> Databases:
    return Databases(
        ingest=await new_database(_prepare_ingest),
        profile=await new_database(prepare_profile),
        keyring=await new_database(migrate_keyring),
    )


async def make_topics(broker: Broker) -> None:
    names = [topic.name for topic in (INBOUND, INTERACTIONS, CUSTOMERS, FEEDBACK, ENGAGEMENT)]
    await create_topics(broker.bootstrap, names, partitions=PARTITIONS)


def profile_settings(
    broker: Broker, databases: Databases, secrets: Secrets, **keyring: object
) -> ProfileSettings:
    return ProfileSettings.model_validate(
        {
            "kafka": {
                "bootstrap": broker.bootstrap,
                "idempotence": False,
                "session_timeout_ms": 2_000,
            },
            "database": {"url": databases.profile},
            "keyring": {
                "url": databases.keyring,
                "master_key": secrets.master_key,
                "cache_seconds": 1.0,
                **keyring,
            },
            "keys_file": secrets.keys_file,
        }
    )


@asynccontextmanager
async def open_desk_house(
    broker: Broker, databases: Databases, secrets: Secrets, spool: Path, **keyring: object
) -> AsyncIterator[DeskHouse]:
    """`keyring`: further settings of it."""
    settings = profile_settings(broker, databases, secrets, **keyring)
    urls = (databases.ingest, databases.keyring)
    sending = settings_of(broker.bootstrap, urls, secrets, spool)
    resources = main.make_resources(settings)
    app = main.create_app(settings, resources, Keys(secrets.keys_file))
    transport = httpx2.ASGITransport(app)
    async with (
        open_ingest(sending, secrets) as ingest,
        app.router.lifespan_context(app),
        running(workers(settings, resources)),
        httpx2.AsyncClient(transport=transport, base_url="http://profile.test") as client,
    ):
        keys = app.state.library.keyring
        yield DeskHouse(ingest, client, keys, resources, settings, secrets, databases)


def workers(settings: ProfileSettings, resources: Resources) -> Sequence[Component]:
    return (
        main.worker_component(resources),
        main.names_component(settings, resources),
        main.privacy_component(settings, resources),
    )


@asynccontextmanager
async def running(components: Sequence[Component]) -> AsyncIterator[None]:
    """Workers beside the block; one that fails fails the test."""
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(component(stop)) for component in components]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _prepare_ingest(url: str) -> None:
    await migrate("rapport_ingest", url)


def ticket(who: dict[str, str], **data: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    fields = {"ticket": f"T-{an_id()}", "body": "help", "identifiers": who, **data}
    return cloudevent("ticket.created.v1", fields, id=an_id())


async def fresh_keyring(house: DeskHouse) -> Keyring:
    """As a process would open it that starts now."""
    master = MasterKey.from_base64(house.secrets.master_key)
    return await Keyring.open(house.databases.keyring, master)


async def about(house: DeskHouse, subjects: list[str]) -> dict[str, int]:
    """Rows that are left of the subjects, by table."""
    listed = ",".join(f"'{one}'" for one in subjects)
    found = {}
    for table in ("timeline", "reference", "facet", "name_prefix"):
        query = f"SELECT count(*) FROM {table} WHERE subject_id IN ({listed})"  # noqa: S608 - ours
        found[table] = (await rows_of(house.databases.profile, query))[0]["count"]
    query = f"SELECT count(*) FROM identity_edge WHERE a IN ({listed}) OR b IN ({listed})"  # noqa: S608 - ours
    found["identity_edge"] = (await rows_of(house.databases.profile, query))[0]["count"]
    return found

"""Ingest, running: a live server on a free port, and what it wrote to its topic."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx2
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from rapport_cli.stack.processes import free_port, port_answers
from rapport_events.codec import decode
from rapport_events.envelope import Envelope
from rapport_ingest.house import House
from rapport_ingest.main import Premises, create_app
from rapport_ingest.settings import IngestSettings
from rapport_privacy.crypto import DataKey, unseal
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.keyfile import SCOPES, add_key
from rapport_runtime.kafka import make_consumer
from rapport_runtime.serve import http_component

from tests.support.publishers import track

PARTITIONS = 4
"""Of each topic of a test."""

SHOP_ORIGIN = "https://shop.example"


@dataclass(frozen=True)
class Secrets:
    """Keys of callers with different scopes, and the keyring's master key."""

    keys_file: Path
    keys: dict[str, str]
    master_key: str

    @classmethod
    def make(cls, directory: Path) -> Self:
        path = directory / "keys.json"
        callers: dict[str, tuple[list[str], dict[str, Any]]] = {
            "publisher": (["events:write"], {"source": "/shop"}),
            "page": (["events:write"], {"origins": [SHOP_ORIGIN]}),
            "agent": (["notes:write", "profile:read"], {}),
            "reader": (["profile:read"], {}),
            "ops": (["ops:read", "ops:write", "profile:pii"], {}),
            "masked": (["ops:read"], {}),
            "everything": (sorted(SCOPES), {}),
        }
        keys = {
            name: add_key(path, name, scopes, **options)[0]
            for name, (scopes, options) in callers.items()
        }
        return cls(path, keys, base64.b64encode(os.urandom(32)).decode())


@dataclass(frozen=True)
class Stored:
    """An event as it stands in the log, and its personal part opened."""

    record: ConsumerRecord
    envelope: Envelope
    data: dict[str, Any]
    personal: dict[str, Any]


@dataclass
class Ingest:
    """The running service."""

    url: str
    client: httpx2.AsyncClient
    premises: Premises
    secrets: Secrets
    reader: AIOKafkaConsumer | None
    records: list[ConsumerRecord] = field(default_factory=list)

    @property
    def house(self) -> House:
        assert self.premises.opened is not None
        return self.premises.opened

    @property
    def settings(self) -> IngestSettings:
        return self.premises.settings

    async def post(
        self,
        path: str,
        body: object,
        caller: str | None = "publisher",
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """POST JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        named = {"content-type": "application/json", **self.auth(caller), **(headers or {})}
        return await self.client.post(path, content=content, headers=named)

    async def send(self, path: str, body: object, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """The answer to a POST that is answered 200."""
        answer = await self.post(path, body, **options)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def get(self, path: str, caller: str = "ops", **params: Any) -> dict[str, Any]:  # noqa: ANN401
        answer = await self.client.get(path, params=params, headers=self.auth(caller))
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def auth(self, caller: str | None) -> dict[str, str]:
        return {} if caller is None else {"authorization": f"Bearer {self.secrets.keys[caller]}"}

    async def stored(self, *ids: str) -> list[Stored]:
        """The events with these ids, in the order of the log; waits until all are there."""
        found = await self.in_log(ids)
        return [await self._open(record) for record in found]

    async def one(self, event_id: str) -> Stored:
        [stored] = await self.stored(event_id)
        return stored

    async def in_log(self, ids: Iterable[str]) -> list[ConsumerRecord]:
        """The records of the ids; `records` holds all of the topic that came before them, too."""
        wanted = set(ids)
        assert self.reader is not None
        async with asyncio.timeout(60):
            while wanted - {_id(record) for record in self.records}:
                fetched = await self.reader.getmany(timeout_ms=200)
                self.records += [one for records in fetched.values() for one in records]
        return [record for record in self.records if _id(record) in wanted]

    async def _open(self, record: ConsumerRecord) -> Stored:
        envelope = decode(record.value)
        data = orjson.loads(bytes(envelope.data))
        blob = data.pop("pii", None)
        personal: dict[str, Any] = {}
        if blob is not None:
            key = (await self.house.keyring.keys([blob["kid"]]))[blob["kid"]]
            assert isinstance(key, DataKey)
            opened = unseal(
                key,
                blob,
                subject=envelope.subject,
                event_id=envelope.id,
                type_=envelope.type,
            )
            personal = orjson.loads(opened)
        return Stored(record, envelope, data, personal)


def settings_of(
    bootstrap: str, databases: tuple[str, str], secrets: Secrets, spool: Path, /, **more: object
) -> IngestSettings:
    database, keyring = databases
    return IngestSettings.model_validate(
        {
            "kafka": {"bootstrap": bootstrap, "idempotence": False, "session_timeout_ms": 2_000},
            "database": {"url": database},
            "keyring": {"url": keyring, "master_key": secrets.master_key},
            "keys_file": secrets.keys_file,
            "spool": {"dir": spool},
            **more,
        }
    )


@asynccontextmanager
async def open_ingest(
    settings: IngestSettings, secrets: Secrets, *, reading: bool = True
) -> AsyncIterator[Ingest]:
    """Without `reading` its log cannot be looked at, and no broker is needed."""
    premises = Premises(settings)
    app = create_app(premises, Keys(secrets.keys_file))
    port = free_port()
    serve = http_component(app, settings.http.model_copy(update={"port": port}))
    stop = asyncio.Event()
    serving = asyncio.ensure_future(serve(stop))
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(60):
            while not serving.done() and not await port_answers("127.0.0.1", port):
                await asyncio.wait([serving], timeout=0.02)
        async with (
            httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as client,
            _reading(settings) if reading else nullcontext() as reader,
        ):
            yield Ingest(url, client, premises, secrets, reader)
    finally:
        stop.set()
        await serving


@asynccontextmanager
async def _reading(settings: IngestSettings) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader of everything in the topic, from its beginning."""
    consumer = make_consumer(settings, None)
    await consumer.start()
    topic = settings.topics.interactions
    places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    consumer.assign(places)
    for place in places:
        consumer.seek(place, 0)
    try:
        yield consumer
    finally:
        # aiokafka's coordinator for consumers without a group is cancelled by its own close.
        with suppress(asyncio.CancelledError):
            await consumer.stop()


def a_user() -> str:
    return f"u-{uuid4().hex}"


def an_id() -> str:
    return uuid4().hex


def _id(record: ConsumerRecord) -> str:
    event_id: bytes = dict(record.headers)["ce_id"]
    return event_id.decode()


def batch_of(*events: dict[str, Any], **around: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"batch": list(events), **around}


def seen(user: str | None = None, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return track("Seen") | {"userId": user or a_user(), "messageId": an_id()} | members

"""The feedback service in this process: its API over ASGI, its projection one call away."""

import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx2
from fastapi import FastAPI
from rapport_cli.stack.broker import Broker
from rapport_events.codec import decode
from rapport_events.envelope import Envelope, Record
from rapport_feedback.consumer import subscription
from rapport_feedback.deciding import Tools, ask_once
from rapport_feedback.definitions import go_live, save_draft
from rapport_feedback.domain.definition import Definition
from rapport_feedback.main import create_app, make_resources
from rapport_feedback.settings import FeedbackSettings
from rapport_privacy.keyring import Keyring
from rapport_runtime import outbox
from rapport_runtime.database import migrate
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.keyfile import add_key
from rapport_runtime.inbox import fresh
from rapport_runtime.subscription import Resources
from sqlalchemy import text

from tests.support.privacy import resolved, rows_of


@dataclass(frozen=True)
class Secrets:
    """Keys of callers with different scopes, and the keyring's master key."""

    keys_file: Path
    keys: dict[str, str]
    master_key: str

    @classmethod
    def make(cls, directory: Path) -> Self:
        path = directory / "keys.json"
        callers = {
            "reader": ["feedback:read"],
            "writer": ["feedback:read", "feedback:write"],
            "desk": ["feedback:read", "feedback:write", "profile:pii"],
            "ops": ["ops:read", "ops:write"],
            "stranger": ["metrics:read"],
        }
        keys = {name: add_key(path, name, scopes)[0] for name, scopes in callers.items()}
        return cls(path, keys, base64.b64encode(os.urandom(32)).decode())


@dataclass
class House:
    """A feedback service that runs."""

    app: FastAPI
    client: httpx2.AsyncClient
    resources: Resources
    settings: FeedbackSettings
    keyring: Keyring
    secrets: Secrets

    async def tell(self, *records: Record, batch: int = 2_000) -> None:
        """Projects the records as the worker would, in batches, with what follows from them."""
        feedback, rest = subscription(self.settings, [self.keyring]), iter(records)
        while taken := list(islice(rest, batch)):
            async with self.resources.engine.begin() as tx:
                sifted = await fresh(feedback.name, tx, taken)
                if sifted.new:
                    await outbox.add(tx, await feedback.apply(tx, sifted.new))

    async def live(self, now: datetime, **definition: Any) -> None:  # noqa: ANN401 - any JSON
        """A survey that is live from then on, in its next version."""
        async with self.resources.engine.begin() as tx:
            draft, _ = await save_draft(tx, Definition.model_validate(definition), "test")
            await go_live(tx, draft.id, draft.version, now)

    async def ask(self, now: datetime, limit: int = 1_000) -> int:
        """One round of deciding; how many were due."""
        return await ask_once(self.resources, Tools(self.settings, self.keyring), now, limit)

    async def facts(self) -> list[Envelope]:
        """What was told to others, in order; nothing relays it here."""
        rows = await self.rows("SELECT value FROM outbox ORDER BY id")
        return [decode(row["value"]) for row in rows]

    async def forget(self, *tables: str) -> None:
        """Empties the tables, as a restore of an older backup would."""
        async with self.resources.engine.begin() as tx:
            await tx.execute(text(f"TRUNCATE {', '.join(tables)}"))

    async def subject(self, **identifiers: str) -> str:
        """A customer whom the keyring knows."""
        return str((await resolved(self.keyring, **identifiers)).subject)

    async def get(self, path: str, caller: str | None = "reader", **query: Any) -> httpx2.Response:  # noqa: ANN401 - any query
        return await self.client.get(path, params=query, headers=self.auth(caller))

    async def post(
        self, path: str, body: object = None, caller: str | None = "writer", **headers: str
    ) -> httpx2.Response:
        return await self._send("POST", path, body, caller, headers)

    async def put(
        self, path: str, body: object, caller: str | None = "writer", **headers: str
    ) -> httpx2.Response:
        return await self._send("PUT", path, body, caller, headers)

    async def patch(
        self, path: str, body: object, caller: str | None = "writer", **headers: str
    ) -> httpx2.Response:
        return await self._send("PATCH", path, body, caller, headers)

    async def read(self, path: str, caller: str = "reader", **query: Any) -> dict[str, Any]:  # noqa: ANN401 - any query
        """The answer of a GET that succeeds."""
        answer = await self.get(path, caller, **query)
        assert answer.status_code == httpx2.codes.OK, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def rows(self, query: str) -> list[asyncpg.Record]:
        """What is in the database, read behind the service's back."""
        return await rows_of(self.settings.database.url, query)

    async def _send(
        self, method: str, path: str, body: object, caller: str | None, headers: dict[str, str]
    ) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(
            method, path, json=body, headers={**self.auth(caller), **named}
        )

    def auth(self, caller: str | None) -> dict[str, str]:
        return {} if caller is None else {"authorization": f"Bearer {self.secrets.keys[caller]}"}


def settings_of(
    databases: tuple[str, str], secrets: Secrets, broker: Broker | None = None, **more: object
) -> FeedbackSettings:
    """`databases`: the service's own, and the keyring's. `more`: further settings."""
    kafka: dict[str, object] = {"bootstrap": "127.0.0.1:1"}
    if broker is not None:
        kafka = {"bootstrap": broker.bootstrap, "idempotence": False, "session_timeout_ms": 2_000}
    database, keyring = databases
    return FeedbackSettings.model_validate(
        {
            "env": "dev",
            "kafka": kafka,
            "database": {"url": database},
            "keyring": {"url": keyring, "master_key": secrets.master_key, "cache_seconds": 1.0},
            "keys_file": secrets.keys_file,
            **more,
        }
    )


@asynccontextmanager
async def open_house(settings: FeedbackSettings, secrets: Secrets) -> AsyncIterator[House]:
    resources = make_resources(settings)
    app = create_app(settings, resources, Keys(secrets.keys_file))
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://feedback.test") as client,
    ):
        keyring = app.state.desk.keyring
        yield House(app, client, resources, settings, keyring, secrets)


async def prepare_feedback(url: str) -> None:
    """For `new_database`: the service's own tables."""
    await migrate("rapport_feedback", url)

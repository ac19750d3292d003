"""A sender over a database of its own, with people and transports that a test can look into."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import msgspec
from rapport_events.envelope import Record
from rapport_events.topics import FEEDBACK
from rapport_runtime.metrics import Metrics
from rapport_runtime.sender import (
    Contact,
    Ending,
    FolderTemplates,
    RecipientsUnavailableError,
    Rendered,
    Requested,
    Sender,
    Telemetry,
    Transport,
    deliver,
    subscription,
)
from rapport_runtime.sender.message import SENT, Message, Outcome
from rapport_runtime.sender.tables import delivery_table
from rapport_runtime.tables import runtime_tables
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from tests.support.events import happened, new_subject

METADATA: Final = MetaData()
runtime_tables(METADATA)
delivery_table(METADATA)

SECRET: Final = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"


async def prepare_sender(url: str) -> None:
    """The sender's table, and the runtime's."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()


def requested(
    action: str | None = None, subject: str | None = None, channel: str = "email", **data: object
) -> Record:
    """An `action.requested` as a service would have published it."""
    fields = {
        "action": action or f"survey:{uuid4()}",
        "channel": channel,
        "template": "hello",
        "language": "en",
        "purpose": "service",
        **data,
    }
    record = happened("action.requested", subject or new_subject(), fields=fields)
    return msgspec.structs.replace(record, topic=FEEDBACK.name)


def message_sent(action: str, subject: str) -> Record:
    record = happened("message.sent", subject, fields={"action": action})
    return msgspec.structs.replace(record, topic=FEEDBACK.name)


@dataclass
class Townspeople:
    """Everybody has an address, but for those who are named."""

    gone: set[str] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)
    away: bool = False

    async def addresses(self, subjects: Collection[str]) -> Mapping[str, Contact]:
        if self.away:
            raise RecipientsUnavailableError
        return {one: self._contact(one) for one in subjects if one not in self.unreachable}

    async def variables(
        self, requests: Sequence[Requested]
    ) -> Sequence[Mapping[str, Any] | Ending]:
        return [{"name": "Ada", "link": "https://x.example/s/1"} for _ in requests]

    def _contact(self, subject: str) -> Contact:
        if subject in self.gone:
            return Contact(suppressed="erased")
        return Contact(f"{subject}@example.com", "+4930123456")


class OneSentence:
    """Templates in which everything is said in the same words."""

    def render(
        self, name: str, _language: str | None, variables: Mapping[str, Any]
    ) -> Rendered | None:
        if name == "unknown":
            return None
        return Rendered(f"Hello {variables['name']}\n", "Hello")


class Pigeon:
    """A transport that keeps what it was given and answers as it is told."""

    name = "pigeon"
    needs_words = True

    def __init__(self, *answers: Outcome, seconds: float = 0.0) -> None:
        self.messages: list[Message] = []
        self._answers = list(answers)
        self._seconds = seconds

    async def send(self, message: Message) -> Outcome:
        self.messages.append(message)
        await asyncio.sleep(self._seconds)
        return self._answers.pop(0) if self._answers else SENT

    @property
    def actions(self) -> list[str]:
        return [one.request.action for one in self.messages]


@dataclass
class Office:
    """A sender that a test runs by hand."""

    engine: AsyncEngine
    people: Townspeople = field(default_factory=Townspeople)
    metrics: Metrics = field(default_factory=lambda: Metrics("sender"))

    async def hear(self, *records: Record) -> None:
        """Applies records as the sender's subscription would."""
        async with self.engine.begin() as tx:
            await subscription(FEEDBACK).apply(tx, records)

    def sender(self, transport: Transport, **more: Any) -> Sender:  # noqa: ANN401 - any field
        channels = dict.fromkeys(("email", "sms", "chat"), transport)
        given: dict[str, Any] = {
            "engine": self.engine,
            "topic": FEEDBACK,
            "source": "/rapport/feedback",
            "recipients": self.people,
            "templates": OneSentence(),
            "transports": channels,
            "telemetry": Telemetry(self.metrics),
            "at_once": 20,
            "poll_seconds": 0.01,
        }
        return Sender(**(given | more))

    async def work(self, *senders: Sender, seconds: float = 20.0) -> None:
        """Until nothing is due any more."""
        stop = asyncio.Event()
        working = [asyncio.create_task(deliver(one, stop)) for one in senders]
        try:
            async with asyncio.timeout(seconds):
                await self._until_settled(working)
        finally:
            stop.set()
            await asyncio.gather(*working)

    async def rows(self) -> dict[str, dict[str, Any]]:
        query = text("SELECT * FROM delivery")
        async with self.engine.connect() as connection:
            found = await connection.execute(query)
            return {row.action: dict(row._mapping) for row in found}

    async def facts(self) -> list[dict[str, Any]]:
        """What went into the outbox."""
        query = text("SELECT value FROM outbox ORDER BY id")
        async with self.engine.connect() as connection:
            values = await connection.scalars(query)
            return [msgspec.json.decode(value) for value in values]

    async def make_due(self) -> None:
        """Time passes."""
        async with self.engine.begin() as tx:
            await tx.execute(text("UPDATE delivery SET next_at = now() WHERE state = 'waiting'"))

    async def _until_settled(self, working: Sequence[asyncio.Task[None]]) -> None:
        due = text(
            "SELECT EXISTS (SELECT FROM delivery WHERE state = 'waiting' AND last_error IS NULL"
            " AND (attempts > 0 OR next_at <= now()))"
            " OR EXISTS (SELECT FROM delivery WHERE state = 'waiting'"
            " AND last_error IS NOT NULL AND next_at <= now())"
        )
        async with self.engine.connect() as connection:
            while await connection.scalar(due):
                await connection.rollback()
                finished, _ = await asyncio.wait(working, timeout=0.02)
                for task in finished:
                    task.result()


@asynccontextmanager
async def open_office(url: str) -> AsyncIterator[Office]:
    engine = create_async_engine(url, pool_size=30)
    yield Office(engine)
    await engine.dispose()


def templates_in(folder: Path, **sources: str) -> FolderTemplates:
    """`hello_en=…` is `hello.en.liquid`."""
    for name, source in sources.items():
        stem, _, language = name.rpartition("_")
        (folder / f"{stem}.{language}.liquid").write_text(source, "utf-8")
    return FolderTemplates([folder])

"""A feedback service as in a stack, with a survey that is live."""

import base64
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from rapport_cli.stack.processes import Command, Process, free_port, port_answers, until_ready
from rapport_cli.stack.topics import create_topics
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS
from rapport_feedback.definitions import go_live, save_draft
from rapport_feedback.domain.definition import Definition
from rapport_feedback.main import make_resources
from rapport_feedback.settings import FeedbackSettings
from rapport_privacy.keyring import Keyring
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_privacy.wiring import open_keyring
from rapport_runtime.database import migrate

from bench.servers import Servers

_SURVEY: Final = {
    "id": "after_case",
    "kind": "nps",
    "about": "service",
    "title": {"en": "Your case with us", "de": "Ihr Anliegen bei uns"},
    "questions": [
        {
            "id": "score",
            "type": "score",
            "text": {"en": "Would you recommend us?", "de": "Würden Sie uns empfehlen?"},
            "low": {"en": "Not at all", "de": "Auf keinen Fall"},
            "high": {"en": "Certainly", "de": "Auf jeden Fall"},
            "required": True,
        },
        {"id": "comment", "type": "text", "text": {"en": "Why?", "de": "Warum?"}},
    ],
}


class Service(NamedTuple):
    """One that runs, and what its links are made with."""

    settings: FeedbackSettings
    keyring: Keyring
    url: str
    pid: int


@asynccontextmanager
async def open_service(servers: Servers) -> AsyncIterator[Service]:
    names = [topic.name for topic in (INTERACTIONS, CUSTOMERS, FEEDBACK, ENGAGEMENT)]
    await create_topics(servers.broker.bootstrap, names, partitions=4)
    urls = [await servers.postgres.create_database(f"bench_page_{one}") for one in ("own", "keys")]
    await migrate("rapport_feedback", urls[0])
    await migrate_keyring(urls[1])
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        environment = _environment(servers, urls, Path(folder), port)
        settings = FeedbackSettings.model_validate(_nested(environment))
        keyring, resources = await open_keyring(settings.keyring), make_resources(settings)
        async with resources.engine.begin() as tx:
            await save_draft(tx, Definition.model_validate(_SURVEY), "bench")
            await go_live(tx, "after_case", 1, datetime.now(UTC) - timedelta(days=1))
        argv = (sys.executable, "-m", "rapport_feedback", "all")
        process = Process(
            Command(name="feedback", argv=argv, log=Path(folder) / "log", env=environment)
        )
        process.start()
        try:
            await until_ready(process, lambda: port_answers("127.0.0.1", port), 60)
            yield Service(settings, keyring, f"http://127.0.0.1:{port}", process.pid)
        finally:
            await process.stop()
            await keyring.close()
            await resources.engine.dispose()


def _environment(servers: Servers, urls: Sequence[str], folder: Path, port: int) -> dict[str, str]:
    keys_file = folder / "keys.json"
    keys_file.write_text('{"keys": []}')
    return {
        "RAPPORT_HTTP__PORT": str(port),
        "RAPPORT_KAFKA__BOOTSTRAP": servers.broker.bootstrap,
        "RAPPORT_KAFKA__IDEMPOTENCE": str(servers.broker.idempotent),
        "RAPPORT_DATABASE__URL": urls[0],
        "RAPPORT_KEYRING__URL": urls[1],
        "RAPPORT_KEYRING__MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
        "RAPPORT_KEYS_FILE": str(keys_file),
    }


def _nested(environment: dict[str, str]) -> dict[str, Any]:
    """The same as the service reads it."""
    settings: dict[str, Any] = {}
    for name, value in environment.items():
        section, _, field = name.removeprefix("RAPPORT_").lower().partition("__")
        if field:
            settings.setdefault(section, {})[field] = value
        else:
            settings[section] = value
    return settings

"""Whatever is sent to the API, it answers; and what was sent never reaches the log."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx2
from rapport_cli.stack.processes import Command, Process, free_port, port_answers, until_ready
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.fixtures import MakeDatabase
from tests.support.profile_house import (
    House,
    Secrets,
    environment_of,
    open_house,
    prepare_profile,
)
from tests.support.sealed import told

CANARY: Final = "zanzibarina"
EXAMPLES: Final = 40


@asynccontextmanager
async def served(
    new_database: MakeDatabase, secrets: Secrets, log: Path
) -> AsyncIterator[tuple[House, str]]:
    """The API as a process of its own, with one customer in it; its address."""
    databases = await new_database(prepare_profile), await new_database(migrate_keyring)
    port = free_port()
    command = Command(
        name="profile API",
        argv=(sys.executable, "-m", "rapport_profile", "api"),
        log=log,
        env=environment_of(*databases, secrets, port) | {"RAPPORT_LOG__LEVEL": "debug"},
    )

    async def listens() -> bool:
        return await port_answers("127.0.0.1", port)

    api = Process(command)
    async with open_house(*databases, secrets) as house:
        api.start()
        try:
            await until_ready(api, listens, 90)
            yield house, f"http://127.0.0.1:{port}"
        finally:
            await api.stop()


async def test_generated_requests_are_answered_as_the_document_says(
    new_database: MakeDatabase, secrets: Secrets, tmp_path: Path
) -> None:
    async with served(new_database, secrets, tmp_path / "log") as (house, url):
        who = {"user_id": "u-97", "email": "ada@example.com"}
        await house.tell(await told(house.keyring, who, "order.placed", order="O-2077"))

        # A name that is well-formed to the schema is not always one: positive checks would fail.
        tool = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json",
            "-H", f"Authorization: Bearer {secrets.keys['everything']}",
            "--exclude-checks", "positive_data_acceptance",
            # An answer that never ends; test_stream.py sends nonsense to it.
            "--exclude-path-regex", "/stream$",
            "--max-examples", str(EXAMPLES), "--seed", "7", "--no-color",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await tool.communicate()

        assert tool.returncode == 0, said.decode()[-4_000:]


async def test_nothing_of_a_person_or_a_request_reaches_the_log(
    new_database: MakeDatabase, secrets: Secrets, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    async with served(new_database, secrets, log) as (house, url):
        who = {"user_id": CANARY, "email": f"{CANARY}@example.com"}
        words = {"body": CANARY, "properties": {"name": CANARY}}
        await house.tell(await told(house.keyring, who, "note.added", personal=words, note="n"))
        await house.keyring.close()

        headers = {
            "authorization": f"Bearer {secrets.keys['agent']}",
            "x-purpose": CANARY,
            "user-agent": CANARY,
        }
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            paths = [
                f"/v1/profiles/user_id:{CANARY}",
                f"/v1/profiles/email:{CANARY}@example.com/timeline?view=cards",
                f"/v1/profiles?email={CANARY}@example.com",
                f"/v1/profiles/{CANARY}",
                f"/v1/profiles/user_id:{CANARY}/timeline?types={CANARY}%00&cursor={CANARY}",
                f"/v1/profiles/user_id:{CANARY}?include={CANARY}",
                f"/{CANARY}",
            ]
            answers = [await client.get(path) for path in paths]
            scraped = await client.get("/metrics")
        await client.aclose()

    assert [answer.status_code for answer in answers] == [200, 200, 200, 422, 400, 422, 404]
    assert all(CANARY not in answer.text for answer in answers[3:])
    assert CANARY not in scraped.text
    told_of = log.read_text()
    assert "listening" in told_of
    assert CANARY not in told_of
    assert not any(key in told_of for key in secrets.keys.values())

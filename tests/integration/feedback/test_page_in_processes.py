"""Several processes behind one link: one answer, and not a word of it in any log."""

import asyncio
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
import pytest
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.feedback_house import Secrets, prepare_feedback
from tests.support.fixtures import MakeDatabase
from tests.support.survey_page import FORM, Invited, invite
from tests.support.survey_server import Served, served

CANARY = "zanzibarina"


async def posted(client: httpx2.AsyncClient, address: str, score: int) -> int:
    body = urlencode({"q-recommend": score, "q-comment": CANARY}).encode()
    return (await client.post(address, content=body, headers=FORM)).status_code


@pytest.fixture
async def databases(new_database: MakeDatabase) -> tuple[str, str]:
    return await new_database(prepare_feedback), await new_database(migrate_keyring)


async def test_of_a_hundred_posts_to_two_processes_one_is_the_answer(
    databases: tuple[str, str], secrets: Secrets, tmp_path: Path
) -> None:
    async with (
        served(databases, secrets, tmp_path / "one") as one,
        served(databases, secrets, tmp_path / "two") as two,
        httpx2.AsyncClient(timeout=120) as client,
    ):
        ada = await invite(one.house)
        codes = await asyncio.gather(
            *(posted(client, (one, two)[n % 2].url + ada.path, n % 11) for n in range(100))
        )

        assert sorted(codes) == [200] + [409] * 99
        assert len(await ada.told()) == 1


async def test_no_log_holds_a_link_or_what_was_answered(
    databases: tuple[str, str], secrets: Secrets, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    async with served(databases, secrets, log) as api, httpx2.AsyncClient(timeout=120) as client:
        ada = await invite(api.house)
        await every_state(client, api, ada)
        token = ada.path.removeprefix("/s/")
        metrics = (await client.get(f"{api.url}/metrics")).text

    written = log.read_text()
    assert "listening" in written
    for secret in (token, token[:20], CANARY, ada.survey):
        assert secret not in written
        assert secret not in metrics
    assert "/s/{token}" in metrics
    assert "request crashed" in written


async def every_state(client: httpx2.AsyncClient, api: Served, ada: Invited) -> None:
    """All that a link can lead to, and the service at fault as well."""
    address = api.url + ada.path
    for query in ("", "?score=9", f"?lang={CANARY}", f"?score={CANARY}"):
        assert (await client.get(address + query)).status_code == 200
    for path in (address + "x", address + "/more", f"{address}/%00", address + "%00"):
        assert (await client.get(path)).status_code >= 400
    assert (await client.delete(address)).status_code == 405
    assert (await client.post(address, content=b"\xff", headers=FORM)).status_code == 400
    assert await posted(client, address, 99) == 422
    # A bug of ours: the handler tells of it by the route, not by the address.
    await api.house.rows("ALTER TABLE outbox RENAME TO elsewhere")
    assert await posted(client, address, 9) == 500
    await api.house.rows("ALTER TABLE elsewhere RENAME TO outbox")
    assert await api.house.rows("SELECT * FROM answer") == []
    assert await posted(client, address, 9) == 200
    assert await posted(client, address, 9) == 409
    await api.house.keyring.erase([ada.subject], certificate_id=str(uuid4()))
    assert (await client.get(address)).status_code == 410

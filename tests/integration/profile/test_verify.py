"""The live projection is what the log says; where it is not, `verify` finds it."""

import asyncio
import json
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from rapport_runtime.rebuild import verify

from tests.support.events import NOON, days, happened, new_subject
from tests.support.rebuilding import Shop

DAMAGES = {
    "state": "UPDATE profile SET state = set_byte(state, 3, 255 - get_byte(state, 3)) {ada}",
    "members": "UPDATE profile SET merged_into = NULL, state = '' {phone}",
    "timeline": "DELETE FROM timeline {ada} AND type = 'order.placed.v1'",
    "reference": "UPDATE reference SET ref = 'another' {ada}",
    "edge": "DELETE FROM identity_edge WHERE '{0}' IN (a, b)",
}
"""Part that differs to what breaks it; `{ada}` is a WHERE clause."""


async def a_customer(shop: Shop) -> tuple[str, str]:
    """Somebody with an order, known by two subjects."""
    ada, phone = sorted((new_subject(), new_subject()))
    order = {"order": f"o-{ada}", "amount": 1, "currency": "EUR"}
    await shop.log.tell(
        [
            happened("customer.identified", phone, NOON, linked=ada),
            happened("order.placed", ada, NOON + days(1), fields=order),
        ]
    )
    await shop.project()
    return ada, phone


async def damage(shop: Shop, part: str, ada: str, phone: str) -> None:
    clauses = {name: f"WHERE subject_id = '{it}'" for name, it in (("ada", ada), ("phone", phone))}
    await shop.rows(DAMAGES[part].format(ada, **clauses))


@pytest.mark.parametrize("part", DAMAGES)
async def test_a_damaged_row_is_found_by_customer_and_part(busy_shop: Shop, part: str) -> None:
    ada, phone = await a_customer(busy_shop)
    assert (await verify(busy_shop.site, None))["differing"] == 0

    await damage(busy_shop, part, ada, phone)

    for report in (await verify(busy_shop.site, None), await verify(busy_shop.site, 10_000)):
        found = {(one["subject"], one["part"]) for one in report["differences"]}
        assert {one for one, _ in found} <= {ada, phone}
        assert part in {one for _, one in found}
    assert await busy_shop.schemas() == set()


async def test_a_lost_row_is_told_from_a_changed_one(busy_shop: Shop) -> None:
    ada, phone = await a_customer(busy_shop)
    await damage(busy_shop, "timeline", ada, phone)

    status, said = await busy_shop.command("verify", "--all")

    assert status == 1
    assert said[-1]["differences"] == [
        {"subject": ada, "part": "timeline", "live_rows": 0, "other_rows": 1}
    ]


async def test_a_sample_takes_everybody_along_who_is_linked_with_it(busy_shop: Shop) -> None:
    chain = [new_subject() for _ in range(6)]
    # Told against the direction of the log: each pass over it finds one more.
    links = [happened("customer.identified", one, linked=other) for one, other in pairwise(chain)]
    await busy_shop.log.tell(links[::-1])
    await busy_shop.project()

    for _ in range(3):
        report = await verify(busy_shop.site, 100)

        assert (report["differing"], report["sample"]) == (0, 100)
        assert report["compared"]["state"] >= 100


async def test_what_agrees_ends_with_status_0_and_shows_nobody(busy_shop: Shop) -> None:
    status, said = await busy_shop.command("verify", "--sample", "50")

    assert (status, said[-1]["step"], said[-1]["differences"]) == (0, "done", [])
    assert said[-1]["compared"]["state"] >= 50


async def test_the_command_line_shows_what_differs_and_mends_it(
    busy_shop: Shop, tmp_path: Path
) -> None:
    ada, phone = await a_customer(busy_shop)
    await damage(busy_shop, "reference", ada, phone)
    stack = str(stack_file(busy_shop, tmp_path))

    status, out, said = await rapport("verify", "profile", "--all", "--stack", stack)

    assert (status, ada in out, "reference" in out) == (1, True, True)
    assert "customers compared, 1 differ." in said
    mend = ("rebuild", "profile", "--force-promote", "--stack", stack)
    status, out, said = await rapport(*mend)
    assert (status, ada in out) == (0, True)
    assert "Version 1 is promoted." in said
    assert (await verify(busy_shop.site, None))["differing"] == 0


def stack_file(shop: Shop, directory: Path) -> Path:
    """As `rapport up` would write it."""
    (directory / "secrets").mkdir()
    (directory / "secrets" / "master.key").write_text(shop.secrets.master_key)
    shutil.copy(shop.secrets.keys_file, directory / "keys.json")
    databases = {
        "rapport_profile": shop.settings.database.url,
        "rapport_keyring": shop.settings.keyring.url,
    }
    stack = {"kafka": shop.settings.kafka.bootstrap, "databases": databases}
    file = directory / "stack.json"
    file.write_text(json.dumps(stack))
    return file


async def rapport(*words: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rapport_cli", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, said = await process.communicate()
    return process.returncode or 0, out.decode(), said.decode()

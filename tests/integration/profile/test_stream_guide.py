"""The JavaScript of the guide for agents' frontends does what it says."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.support.events import happened
from tests.support.live_house import LiveHouse
from tests.support.privacy import a_name
from tests.support.readme import blocks
from tests.support.sealed import told

GUIDE = Path(__file__).parents[3] / "docs" / "agents.md"

SHOW = """
const [url, key] = process.argv.slice(2);
follow(url, key, (view, entries) =>
  console.log(JSON.stringify([view && view.orders.count, entries.map((one) => one.key)])));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
async def test_the_example_follows_a_customer_until_they_are_erased(
    live: LiveHouse, tmp_path: Path
) -> None:
    [example] = [block.code for block in blocks(GUIDE) if block.language == "js"]
    script = tmp_path / "follow.mjs"
    script.write_text(example + SHOW)
    who = {"user_id": a_name()}
    first = await told(live.keyring, who, "order.placed", order="O-1")
    await live.tell(first)
    path = live.path(f"user_id:{who['user_id']}", "?include=orders")

    node = await asyncio.create_subprocess_exec(
        "node", str(script), f"http://127.0.0.1:{live.port}{path}", live.secrets.keys["agent"],
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert node.stdout is not None
    async with asyncio.timeout(30):
        hello = json.loads(await node.stdout.readline())
        second = await told(live.keyring, who, "order.placed", order="O-2")
        await live.tell(second)
        change = json.loads(await node.stdout.readline())
        await live.tell(happened("customer.erased", first.envelope.subject))
        erased = json.loads(await node.stdout.readline())
        await node.wait()

    assert hello == [1, []]
    assert change == [2, [second.key.hex()]]
    assert erased == [None, []]
    assert node.returncode == 0

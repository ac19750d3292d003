"""The worked example, sent over HTTP to a whole stack: every KPI comes out to the last digit."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.kpi_answers import differences
from tests.support.kpi_example import IS_PRESENT, expected, lines
from tests.support.kpi_feed import Feed
from tests.support.up import rapport_up

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here"),
]

PATIENCE_SECONDS = 90.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A short path: a socket of PostgreSQL must fit into 107 characters."""
    return tmp_path / "s"


def told_so_far(feed: Feed) -> Callable[[], list[str]]:
    async def ask(kpi: str, query: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        return feed.series(kpi, query)

    wanted = expected()
    return lambda: asyncio.run(differences(ask, wanted))


def settled(look: Callable[[], list[str]]) -> list[str]:
    """What is wrong in the end: merges and erasures take the way through the profile service."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (wrong := look()) and time.monotonic() < deadline:
        time.sleep(1)
    return wrong


def test_the_example_in_file_order_is_exact_and_stays_so_when_all_is_sent_again(
    folder: Path,
) -> None:
    told = lines()
    with rapport_up(folder) as up:
        feed = Feed(up.wait_until_ready())
        try:
            feed.send(told)
            assert settled(told_so_far(feed)) == []
            assert feed.suppressed == expected()["log"]["dropped_after_erasure"]

            feed.send(line for line in told if line["type"] != "customer.erased")
            assert settled(told_so_far(feed)) == []
        finally:
            feed.close()

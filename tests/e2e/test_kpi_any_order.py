"""The worked example over HTTP in an order that only chance knows: the same numbers."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from rapport_cli.stack.postgres import open_postgres

from tests.e2e.test_kpi_example import settled
from tests.support.kpi_answers import differences
from tests.support.kpi_example import IS_PRESENT, expected, happenings, lines
from tests.support.kpi_feed import Feed
from tests.support.kpi_records import records
from tests.support.metrics_house import Callers, open_house, prepare_metrics
from tests.support.up import rapport_up

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here"),
]

SEED = 23
COUNTED = ("start", "dims", "num", "den", "value", "pending", "percentiles")

Answers = dict[tuple[str, frozenset[tuple[str, str]]], list[dict[str, Any]]]
"""What each question of the example was answered."""


class Listening:
    """Asks like the comparison with `kpis.json` does, and keeps the answers."""

    def __init__(self) -> None:
        self.answers: Answers = {}

    def note(
        self, kpi: str, query: Mapping[str, str], series: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        numbers = [{name: point.get(name) for name in COUNTED} for point in series]
        self.answers[kpi, frozenset(query.items())] = numbers
        return series


async def counted_in_file_order(told: Sequence[Mapping[str, Any]], folder: Path) -> Answers:
    """By a service that is told the events one after the other, without any way through HTTP."""
    listening, callers = Listening(), Callers.make(folder)
    async with open_postgres(folder / "postgres") as postgres:
        url = await postgres.create_database("in_file_order")
        await prepare_metrics(url)
        async with open_house(url, callers) as house:

            async def ask(kpi: str, query: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
                named = {"start" if name == "from" else name: of for name, of in query.items()}
                return listening.note(kpi, query, await house.series(kpi, **named))

            await house.tell(records(happenings(told)))
            await differences(ask, expected())
    return listening.answers


def counted_by(feed: Feed) -> Answers:
    listening = Listening()

    async def ask(kpi: str, query: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        return listening.note(kpi, query, feed.series(kpi, query))

    asyncio.run(differences(ask, expected()))
    return listening.answers


def test_the_example_without_erasures_comes_out_the_same_in_any_order(tmp_path: Path) -> None:
    told = [line for line in lines() if line["type"] != "customer.erased"]
    # As root, PostgreSQL runs as another user, who may not enter a folder of pytest.
    with TemporaryDirectory(prefix="rapport-") as folder:
        Path(folder).chmod(0o711)
        wanted = asyncio.run(counted_in_file_order(told, Path(folder)))
    assert len(wanted) > 100
    shuffled = list(told)
    Random(SEED).shuffle(shuffled)

    with rapport_up(tmp_path / "s") as up:
        feed = Feed(up.wait_until_ready())
        try:
            feed.send(shuffled)

            def wrong() -> list[str]:
                found = counted_by(feed)
                return [
                    f"{asked}: {found[asked]}" for asked in wanted if found[asked] != wanted[asked]
                ]

            assert settled(wrong) == []
        finally:
            feed.close()

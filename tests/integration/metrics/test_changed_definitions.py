"""A threshold is changed: no total is ever made by two rules."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from rapport_metrics import kept
from rapport_metrics.kept import OtherDefinitionsError
from rapport_metrics.rebuilding import begin_to_keep
from rapport_runtime.rebuild import rebuild

from tests.integration.metrics.test_kept_definitions import SPAN, people_who_come_back
from tests.support.fixtures import MakeDatabase
from tests.support.metrics_house import Callers, prepare_metrics
from tests.support.metrics_log import Counted, Log, open_counted
from tests.support.servers import open_test_broker, own_broker_choice

ONE_DAY = {"repeat_contact_days": 1}


@pytest.fixture(scope="module")
async def log() -> AsyncIterator[Log]:
    async with open_test_broker(own_broker_choice()) as broker:
        yield await Log.make(broker)


@pytest.fixture
async def counted(log: Log, new_database: MakeDatabase, callers: Callers) -> AsyncIterator[Counted]:
    async with open_counted(log, await new_database(prepare_metrics), callers) as opened:
        yield opened


async def fcr(counted: Counted) -> tuple[int, int]:
    [point] = await counted.house.series("fcr", **SPAN)
    return point["num"], point["den"]


async def is_ready(counted: Counted) -> bool:
    answer = await counted.house.client.get("/readyz")
    return bool(answer.json()["checks"]["definitions"]["ok"])


async def test_who_goes_by_another_rule_than_the_totals_changes_none_of_them(
    counted: Counted, log: Log, callers: Callers
) -> None:
    await log.tell(people_who_come_back())
    await counted.count()
    before = await fcr(counted)

    async with open_counted(log, counted.settings.database.url, callers, **ONE_DAY) as changed:
        assert not await is_ready(changed)
        await log.tell(people_who_come_back(2))
        with pytest.raises(OtherDefinitionsError, match="rapport rebuild metrics"):
            await changed.count()

    assert await is_ready(counted)
    assert await fcr(counted) == before


async def test_who_is_of_a_release_that_counts_otherwise_changes_none_of_them(
    counted: Counted, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.tell(people_who_come_back())
    await counted.count()
    monkeypatch.setattr(kept, "RULES", kept.RULES + 1)
    await log.tell(people_who_come_back(2))

    with pytest.raises(OtherDefinitionsError, match="a release that counts otherwise"):
        await counted.count()
    report = await rebuild(counted.site)
    await counted.count()

    assert (report["status"], report["differing"]) == ("promoted", 0)


async def test_a_rebuild_by_the_new_rule_hands_over_to_those_who_go_by_it(
    counted: Counted, log: Log, callers: Callers
) -> None:
    await log.tell(people_who_come_back())
    await counted.count()
    by_seven_days = await fcr(counted)

    async with open_counted(log, counted.settings.database.url, callers, **ONE_DAY) as changed:
        report = await rebuild(changed.site, force=True)
        await log.tell(people_who_come_back(2))
        with pytest.raises(OtherDefinitionsError):
            await counted.count()
        await changed.count()

        assert report["status"] == "promoted"
        assert (await is_ready(counted), await is_ready(changed)) == (False, True)
        num, den = await fcr(changed)
        assert num > by_seven_days[0]
        assert den > by_seven_days[1]
        again = await rebuild(changed.site)
        assert (again["status"], again["differing"]) == ("promoted", 0)


def test_the_same_definitions_are_the_same_to_every_process() -> None:
    """Sets have another order in each, and a calendar has numbers for weekdays."""
    script = (
        "from rapport_metrics.kept import digest; from rapport_metrics.settings import KpiSettings;"
        "from rapport_metrics.domain.own import Options;"
        "week = {'zone': 'Europe/Rome', 'hours': {'mon': ['09:00-12:00']}};"
        "service = KpiSettings(calendar=week).service();"
        "topics = frozenset(map(str, range(50)));"
        "print(digest(Options(service=service, unsolvable_topics=topics)).hex())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


async def test_a_build_that_was_begun_by_the_old_rule_is_begun_anew(
    counted: Counted, log: Log, callers: Callers
) -> None:
    await log.tell(people_who_come_back())
    await counted.count()
    assert (await rebuild(counted.site, promote=False))["status"] == "built"

    async with open_counted(log, counted.settings.database.url, callers, **ONE_DAY) as changed:
        await begin_to_keep(changed.site, changed.settings, ())
        report = await rebuild(changed.site, force=True)
        await changed.count()

    assert (report["status"], report["differing"] > 0) == ("promoted", True)

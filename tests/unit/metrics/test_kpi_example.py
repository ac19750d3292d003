"""The worked example comes out to the last digit, in any order and any batches."""

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from rapport_metrics.domain.buyers import retention
from rapport_metrics.domain.catalogue import CATALOGUE, Kpi
from rapport_metrics.domain.instants import DAY
from rapport_metrics.domain.reading import Reading
from rapport_metrics.domain.stages import rfm, rfm_groups, stage
from rapport_metrics.domain.statistics import occasions
from rapport_metrics.domain.value import ratio

from tests.support.kpi_example import IS_PRESENT, Window, expected, happenings, lines, windows
from tests.support.kpi_memory import Memory

pytestmark = pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")

SEED = 20260630
DIMENSIONS = {"subject": "about"}


@pytest.fixture(scope="module")
def kpis() -> dict[str, Any]:
    return expected()


@pytest.fixture(scope="module")
def memory() -> Memory:
    return Memory().take_all(happenings(lines()), batch=500)


def as_published(kpi: Kpi, memory: Memory, window: Window, now: int, *dim: str) -> dict[str, Any]:
    """The KPI as the example's file writes it; units that are too young are pending."""
    until = min(window.end, now - kpi.lookahead)
    reading = memory.read(kpi, window.start, until, *dim)
    if kpi.shape in {"distribution", "total"}:
        return _spread(kpi, reading)
    published = {"num": reading.num, "den": reading.den, "value": reading.value}
    if kpi.lookahead:
        published["pending"] = memory.read(kpi, until, window.end, *dim).den
    return published


def _spread(kpi: Kpi, reading: Reading) -> dict[str, Any]:
    published: dict[str, Any] = {"count": reading.den, "sum": reading.num}
    if kpi.shape == "distribution":
        published["mean"] = ratio(reading.num, reading.den)
        published |= {f"{name}_hist": value for name, value in reading.percentiles.items()}
    return published


def differences(memory: Memory, kpis: Mapping[str, Any]) -> list[str]:
    """Every additive KPI of every window and breakdown that is not as it should be."""
    spans = {window.name: window for window in windows(kpis)}
    now = spans["all"].end
    asked = [
        (name, (), spans[span], wanted)
        for span, by_kpi in kpis["windows"].items()
        for name, wanted in by_kpi.items()
    ] + [
        (name, (DIMENSIONS.get(dim, dim), value), spans["all"], wanted)
        for dim, values in kpis["by"].items()
        for value, by_kpi in values.items()
        for name, wanted in by_kpi.items()
    ]
    wrong = []
    for name, dim, window, wanted in asked:
        kpi = CATALOGUE[name]
        if kpi.shape == "persons":
            continue
        found: Any = as_published(kpi, memory, window, now, *dim)
        if isinstance(wanted, int):
            found = found.get("sum", found.get("num"))
        elif isinstance(wanted, dict):
            wanted = {key: wanted[key] for key in found}
        if found != wanted:
            wrong.append(f"{name} {dim} {window.name}: {found}, not {wanted}")
    return wrong


def test_every_kpi_of_every_window_and_breakdown_is_exact(
    memory: Memory, kpis: dict[str, Any]
) -> None:
    assert differences(memory, kpis) == []


def test_kpis_of_persons_are_exact(memory: Memory, kpis: dict[str, Any]) -> None:
    for window in windows(kpis):
        wanted = kpis["persons"]["windows"][window.name]
        buyers = memory.buyers(window.start, window.end)
        active = memory.active_customers(window.start, window.end)

        assert (len(buyers), active) == (wanted["active_buyers"], wanted["active_customers"])
        assert sum(one.orders for one in buyers) == wanted["purchase_frequency"]["num"]
        assert sum(one.repeated for one in buyers) == wanted["repeat_purchase_rate"]["num"]
        assert sum(one.returning for one in buyers) == wanted["returning_customer_rate"]["num"]


@pytest.mark.parametrize("days", [60, 90])
def test_retention_and_churn_are_exact(memory: Memory, kpis: dict[str, Any], days: int) -> None:
    everybody = memory.purchases_by_person().values()
    for window in windows(kpis)[1:]:
        wanted = kpis["persons"]["churn"][window.name][f"W{days}"]
        stood = [
            retention([at for at, _ in one], window.start, window.end, days * DAY)
            for one in everybody
        ]

        assert sum(one.at_start for one in stood) == wanted["S"]
        assert sum(one.at_end for one in stood) == wanted["E"]
        assert sum(one.retained for one in stood) == wanted["retained"]
        assert sum(one.churned for one in stood) == wanted["ccr"]["num"]
        assert sum(one.is_new for one in stood) == wanted["new"]
        assert sum(one.reactivated for one in stood) == wanted["reactivated"]


def test_stages_and_groups_are_exact(memory: Memory, kpis: dict[str, Any]) -> None:
    bought = memory.purchases_by_person()
    for window in windows(kpis)[1:]:
        people = memory.persons_created_before(window.end)
        stages = Counter(
            stage([at for at, _ in bought.get(root, [])], window.end) for root in people
        )
        assert stages == kpis["persons"]["lifecycle"][window.name]
    end = windows(kpis)[0].end
    groups = rfm_groups([found for one in bought.values() if (found := rfm(one, end))])
    assert groups == kpis["persons"]["rfm"]


def test_sufficient_statistics_are_exact(memory: Memory, kpis: dict[str, Any]) -> None:
    end, wanted = windows(kpis)[0].end, kpis["persons"]["clv"]
    found = [
        one
        for bought in memory.purchases_by_person().values()
        if (one := occasions(bought, end)) is not None
    ]

    assert len(found) == wanted["buyers"]
    assert sum(one.x for one in found) == wanted["sum_x"]
    assert sum(one.t_x for one in found) == wanted["sum_tx"]
    assert sum(one.T for one in found) == wanted["sum_T"]
    assert sum(one.repeat_amount for one in found) == wanted["sum_repeat_cents"]
    assert sum(one.x > 0 for one in found) == wanted["repeaters"]


@pytest.mark.parametrize("batch", [1, 7, 5_000])
def test_batches_of_any_size_give_the_same_totals(memory: Memory, batch: int) -> None:
    again = Memory().take_all(happenings(lines()), batch)

    assert again.cells == memory.cells
    assert (again.purchases, again.people) == (memory.purchases, memory.people)


def test_any_order_gives_the_same_totals(memory: Memory) -> None:
    shuffled = list(happenings(lines()))
    Random(SEED).shuffle(shuffled)

    again = Memory().take_all(shuffled, batch=113)

    assert again.cells == memory.cells
    assert (again.purchases, again.people) == (memory.purchases, memory.people)

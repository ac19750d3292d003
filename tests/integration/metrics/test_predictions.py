"""Predictions from the purchases in the database: fitted, kept, read; never about one person."""

import asyncio
import subprocess
import sys
from random import Random

import msgspec
import pytest
from rapport_events import wire
from rapport_events.codec import decode, decode_data
from rapport_events.topics import CUSTOMERS, METRICS
from rapport_metrics.clv.bgnbd import BgNbd, churn_risk, expected
from rapport_metrics.clv.gamma_gamma import GammaGamma
from rapport_metrics.clv.value import lifetime_value
from rapport_metrics.models import TooFewBuyersError
from rapport_metrics.nightly import fit_nightly
from rapport_metrics.settings import MetricsSettings
from rapport_runtime.pause import pause
from sqlalchemy import text

from tests.support.buyers import (
    BUYERS,
    MIDNIGHT,
    SEED,
    TODAY,
    UNTIL_NOW,
    fit,
    purchases,
    shop,
    statistics,
    tell,
)
from tests.support.events import happened, new_subject
from tests.support.metrics_house import House


async def test_the_forecast_adds_up_what_the_models_say_of_each(house: House) -> None:
    bought = shop()
    await tell(house, bought)

    documents = await fit(house)

    buying = BgNbd(**documents["bgnbd"]["parameters"])
    spending = GammaGamma(**documents["gamma_gamma"]["parameters"])
    everybody, said = statistics(bought), documents["forecast"]
    values = [lifetime_value(buying, spending, one) for one in everybody]
    soon = [expected(buying, one.x, one.t_x, one.T, 90) for one in everybody]
    risks = [churn_risk(buying, one.x, one.t_x, one.T, 90) for one in everybody]
    assert (said["buyers"], documents["bgnbd"]["customers"]) == (BUYERS, BUYERS)
    assert said["value"] == pytest.approx(sum(values), abs=1)
    assert said["expected_orders"] == pytest.approx(sum(soon))
    assert said["risks"] == [sum(int(risk * 10) == tenth for risk in risks) for tenth in range(10)]


async def test_the_routes_say_what_was_fitted_and_the_kpi_as_well(house: House) -> None:
    await tell(house, shop())

    fitted = await house.post("/v1/models:fit")

    assert fitted.status_code == 200, fitted.text
    assert [one["kind"] for one in fitted.json()["models"]] == ["bgnbd", "gamma_gamma"]
    assert await house.read("/v1/models") == fitted.json()
    said = await house.read("/v1/predictions/summary")
    assert said["buyers"] == sum(one["buyers"] for one in said["churn_risk_90d"]) == BUYERS
    assert 0 < said["expected_orders_90d"] < 10 * BUYERS
    assert (said["currency"], said["margin"], said["warnings"]) == ("EUR", 1.0, [])
    [point] = await house.series("clv_predicted", **UNTIL_NOW)
    assert (point["num"], point["den"]) == (said["clv_sum"], BUYERS)
    assert point["value"] == pytest.approx(said["clv_mean"])


async def test_people_who_merge_are_one_buyer_and_the_erased_are_none(house: House) -> None:
    bought = shop()
    one, other, erased = list(bought)[:3]
    await tell(house, bought)
    of_people = [
        happened("customer.merged", one, TODAY, from_subject=other),
        happened("customer.erased", erased, TODAY),
    ]

    await house.tell(msgspec.structs.replace(r, topic=CUSTOMERS.name) for r in of_people)

    del bought[erased]
    bought[one] += bought.pop(other)
    said = (await fit(house))["forecast"]
    assert said["buyers"] == BUYERS - 2
    assert said["repeaters"] == sum(found.x > 0 for found in statistics(bought))


async def test_another_currency_is_left_out(house: House) -> None:
    bought = shop()
    await tell(house, bought)

    await house.tell(purchases(new_subject(), Random(SEED), currency="CHF"))

    said = (await fit(house))["forecast"]
    assert (said["buyers"], said["currency"]) == (BUYERS, "EUR")


async def test_too_few_buyers_leave_what_was_fitted_before(house: House) -> None:
    await tell(house, shop(buyers=150))

    answer = await house.post("/v1/models:fit")

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("150 buyers, ")
    assert (await house.read("/v1/models"))["models"] == []
    assert (await house.get("/v1/predictions/summary")).status_code == 404
    [point] = await house.series("clv_predicted", **UNTIL_NOW)
    assert (point["den"], point["value"]) == (0, None)


async def test_who_may_only_read_fits_nothing(house: House) -> None:
    assert (await house.post("/v1/models:fit", caller="analyst")).status_code == 403


async def test_value_that_hangs_on_frequency_is_warned_of(house: House) -> None:
    bought = shop()
    for records in bought.values():
        amount = 100 * len(records) ** 2
        for number, record in enumerate(records):
            envelope = record.envelope
            records[number] = happened(
                "order.placed", envelope.subject, envelope.time,
                order=f"{envelope.subject} {number}", amount=amount, currency="EUR",
            )  # fmt: skip
    await tell(house, bought)

    await fit(house)

    [warning] = (await house.read("/v1/predictions/summary"))["warnings"]
    assert "correlate" in warning
    assert (await house.read("/v1/kpis/clv_predicted", **UNTIL_NOW))["note"] == warning


async def test_the_night_fits_by_itself(house: House) -> None:
    await tell(house, shop())
    settings, stop = house.resources.settings, asyncio.Event()
    assert isinstance(settings, MetricsSettings)

    async def morning(seconds: float) -> None:
        while not (await house.read("/v1/models"))["models"]:
            await pause(stop, seconds)
        stop.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as both:
        both.create_task(fit_nightly(house.resources, settings, stop))
        both.create_task(morning(0.05))

    assert (await house.read("/v1/predictions/summary"))["buyers"] == BUYERS


async def test_without_scipy_the_routes_say_what_to_install(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)

    answers = [
        await house.post("/v1/models:fit"),
        await house.get("/v1/models"),
        await house.get("/v1/predictions/summary"),
    ]

    assert {answer.status_code for answer in answers} == {501}
    assert all("rapport-metrics[clv]" in answer.json()["detail"] for answer in answers)


def test_without_scipy_the_service_starts() -> None:
    missing = "import sys; sys.modules['scipy'] = sys.modules['numpy'] = None"
    started = f"{missing}; import rapport_metrics.__main__"

    assert subprocess.run([sys.executable, "-c", started], check=False).returncode == 0


async def test_each_fit_is_told_to_the_log_under_an_id_made_of_what_was_learned(
    house: House,
) -> None:
    await tell(house, shop())
    first = await fit(house)
    await fit(house)

    async with house.resources.engine.begin() as tx:
        query = text("SELECT topic, convert_from(value, 'UTF8') FROM outbox ORDER BY id")
        rows = await tx.execute(query)
        told = [(topic, msgspec.json.decode(value)) for topic, value in rows]
    assert [topic for topic, _ in told] == [METRICS.name] * 4
    ids = [event["id"] for _, event in told]
    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2
    for _, event in told[:2]:
        fitted = decode_data(decode(msgspec.json.encode(event)))
        assert isinstance(fitted, wire.ModelFitted)
        assert fitted.parameters == first[fitted.model]["parameters"]
        assert (fitted.buyers, fitted.as_of) == (first[fitted.model]["customers"], MIDNIGHT)
        assert (fitted.currency, fitted.definition) == ("EUR", "clv_predicted.v1")


async def test_what_was_not_fitted_is_not_told(house: House) -> None:
    await tell(house, shop(10))

    with pytest.raises(TooFewBuyersError):
        await fit(house)

    async with house.resources.engine.begin() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM outbox")) == 0

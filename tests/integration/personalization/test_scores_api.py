"""What is expected of a customer, as agents are told it; and nights, as operators are."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rapport_personalization.domain.prediction import Bought, forecast

from tests.support.events import happened, new_subject
from tests.support.nights import BUYING, DAY, SPENDING, fit, night, ordered
from tests.support.peoples import erased
from tests.support.personalization_house import Callers, House


@pytest.fixture(autouse=True)
async def _in_one_day() -> None:
    """Scores are those of a day: what would begin in its last minute waits for the next."""
    left = noon(0) + DAY / 2 - datetime.now(UTC)
    if left < timedelta(minutes=1):
        await asyncio.sleep(left.total_seconds() + 0.1)


def noon(days: int) -> datetime:
    """So many days ago."""
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return today - days * DAY


async def scores(house: House, callers: Callers, who: str) -> dict[str, Any]:
    found = await house.client.get(f"/v1/customers/{who}/scores", headers=callers.as_("agent"))
    assert found.status_code == 200, found.text
    answered: dict[str, Any] = found.json()
    return answered


async def test_a_score_is_told_with_all_that_it_is_made_of(house: House, callers: Callers) -> None:
    bgnbd, gamma = await fit(house, noon(1))
    ada = new_subject()
    await house.tell([ordered(ada, noon(40), "1", 1_000), ordered(ada, noon(10), "2", 3_000)])

    told = await scores(house, callers, ada)

    said = forecast(BUYING, SPENDING, Bought(1, 30, 39, 3_000))
    assert told["inputs"] == {"x": 1, "t_x": 30, "T": 39, "monetary": 3_000.0, "currency": "EUR"}
    assert told["churn_risk"] == {"value": said.churn_risk, "reason": None, "told": None}
    assert told["next_purchase"]["purchases"] == said.purchases
    assert told["clv"] == {
        "value": said.value, "reason": None, "told": None, "currency": "EUR", "is_top": None,
    }  # fmt: skip
    assert [one["id"] for one in told["models"]] == [bgnbd.key.hex(), gamma.key.hex()]
    assert told["models"][0]["fitted_at"] == told["models"][0]["as_of"]


async def test_the_next_purchase_is_expected_on_a_day_or_is_said_to_be_unlikely(
    house: House, callers: Callers
) -> None:
    await fit(house, noon(1))
    often, gone = new_subject(), new_subject()
    await house.tell([ordered(often, noon(n * 7 + 1), f"o{n}") for n in range(20)])
    await house.tell([ordered(gone, noon(400 + n), f"g{n}") for n in range(8)])

    soon, never = [(await scores(house, callers, one))["next_purchase"] for one in (often, gone)]

    days = forecast(BUYING, SPENDING, Bought(19, 133, 133, 95_000)).next_purchase_days
    assert days is not None
    assert soon["expected_on"] == (noon(1).date() + timedelta(days=round(days))).isoformat()
    assert (never["expected_on"], never["reason"]) == (None, "unlikely")


async def test_who_refuses_profiling_is_not_reckoned_with_any_more(
    house: House, callers: Callers
) -> None:
    await fit(house, noon(3))
    ada, bea = new_subject(), new_subject()
    await house.tell([ordered(one, noon(9), f"o-{one}") for one in (ada, bea)])
    await night(house, noon(1))
    before = await house.rows("SELECT person::text FROM score")

    await house.tell([happened("consent.withdrawn", ada, noon(1), purpose="profiling")])
    await night(house, noon(0))

    told = await scores(house, callers, ada)
    assert {row["person"] for row in before} == {ada, bea}
    assert [row["person"] for row in await house.rows("SELECT person::text FROM score")] == [bea]
    assert (told["churn_risk"]["value"], told["churn_risk"]["reason"]) == (None, "refused")
    assert (told["clv"]["value"], told["clv"]["reason"]) == (None, "refused")


async def test_nothing_is_told_that_nobody_knows(house: House, callers: Callers) -> None:
    ada, bea, cem = (new_subject() for _ in range(3))
    await house.tell([ordered(ada, noon(9), "1"), ordered(bea, noon(9), "2", currency="JPY")])
    await house.person(email="somebody@example.test")

    before = await scores(house, callers, ada)
    await fit(house, noon(1), spending=False)
    after = [await scores(house, callers, one) for one in (ada, bea)]
    nobody = await house.client.get(f"/v1/customers/{cem}/scores", headers=callers.as_("agent"))

    assert (before["churn_risk"]["value"], before["churn_risk"]["reason"]) == (None, "no_model")
    assert (before["clv"]["value"], before["clv"]["reason"]) == (None, "no_model")
    assert after[0]["churn_risk"]["value"] > 0
    assert (after[0]["clv"]["value"], after[0]["clv"]["reason"]) == (None, "no_amounts")
    assert after[1]["churn_risk"]["reason"] == "other_currency"
    assert nobody.json()["churn_risk"]["reason"] == "never_bought"


async def test_what_was_told_last_stands_beside_what_is_so_now(
    house: House, callers: Callers
) -> None:
    await fit(house, noon(1))
    ada = new_subject()
    await house.tell([ordered(ada, noon(300), "1")])
    await night(house, noon(0))

    told = await scores(house, callers, ada)

    assert told["churn_risk"]["told"]["value"] == told["churn_risk"]["value"]
    assert told["clv"]["is_top"]


async def test_of_the_erased_nothing_is_told(house: House, callers: Callers) -> None:
    ada = new_subject()
    await house.tell([ordered(ada, noon(9), "1"), erased(ada)])

    found = await house.client.get(f"/v1/customers/{ada}/scores", headers=callers.as_("agent"))

    assert found.status_code == 410


async def test_everybody_can_be_scored_at_once_once_there_is_a_model(
    house: House, callers: Callers
) -> None:
    ops, agent = callers.as_("ops"), callers.as_("agent")

    early = await house.client.post("/v1/ops/scores:run", headers=ops)
    await fit(house, noon(1))
    first = await house.client.post("/v1/ops/scores:run", headers=ops)
    await night(house, datetime.now(UTC))
    again = await house.client.post("/v1/ops/scores:run", headers=ops)
    nights = await house.client.get("/v1/ops/scores", headers=ops)
    refused = await house.client.post("/v1/ops/scores:run", headers=agent)

    assert (early.status_code, refused.status_code) == (409, 403)
    assert "models:fit" in early.json()["message"]
    assert (first.status_code, first.json()["phase"]) == (202, "scoring")
    assert again.json()["phase"] == "done"
    assert [one["phase"] for one in nights.json()["nights"]] == ["done"]

"""Nights: every buyer is scored by the pure function, and told of where a line is crossed."""

import asyncio
from datetime import datetime, timedelta
from random import Random

import pytest
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.scoring import Models, score
from rapport_personalization.reading import Kept, remembered
from rapport_personalization.scores import load_models
from rapport_personalization.scoring import begin, step
from rapport_runtime.database import driver

from tests.support.events import happened, new_subject
from tests.support.nights import (
    DAY,
    MORNING,
    fit,
    hear_back,
    night,
    ordered,
    scored,
    scorer,
    treated,
)
from tests.support.peoples import erased, merged
from tests.support.personalization_house import House

LINE = 0.8


async def models_of(house: House) -> Models:
    async with house.engine.connect() as tx:
        found = await load_models(await driver(tx), margin=1.0)
    assert found is not None
    return found


async def expected(house: House, at: datetime = MORNING) -> dict[str, tuple[float, int | None]]:
    """By the pure function, from the moments of each subject."""
    models = await models_of(house)
    rows = await house.rows("SELECT seq, event_key, value, birthday, subject_id::text FROM moment")
    found = {}
    for person in {row["subject_id"] for row in rows}:
        kept = [Kept(r["seq"], r["event_key"], r["value"], r["birthday"]) for r in rows
                if r["subject_id"] == person]  # fmt: skip
        customer = folded(person, [remembered(one) for one in kept])
        said = score(models, customer.orders.values(), at.date()).forecast
        if said is not None:
            found[person] = (said.churn_risk, said.value)
    return found


async def kept(house: House) -> dict[str, tuple[float, int | None]]:
    rows = await house.rows("SELECT person::text, churn_risk, clv FROM score")
    return {row["person"]: (row["churn_risk"], row["clv"]) for row in rows}


async def crowd(house: House, people: int = 25) -> list[str]:
    rng = Random(7)
    subjects = [new_subject() for _ in range(people)]
    for number, one in enumerate(subjects):
        days = sorted(rng.uniform(0.1, 300) for _ in range(rng.randint(1, 6)))
        bought = [
            ordered(one, MORNING - day * DAY, f"{number}-{n}", rng.randint(500, 20_000))
            for n, day in enumerate(days)
        ]
        await house.tell(bought)
        if number % 5 == 0:
            back = happened("order.refunded", one, MORNING - DAY / 2, order=f"{number}-0")
            await house.tell([back])
    return subjects


async def crossing(house: House, person: str, bought: datetime) -> datetime:
    """The first morning on which their risk is above the line."""
    models = await models_of(house)
    query = "SELECT seq, event_key, value, birthday FROM moment WHERE subject_id = :person"
    rows = await house.rows(query, person=person)
    customer = folded(person, [remembered(Kept(*row.values())) for row in rows])
    for days in range(1, 1_000):
        at = bought.replace(hour=2) + days * DAY
        said = score(models, customer.orders.values(), at.date()).forecast
        if said is not None and said.churn_risk >= LINE:
            return at
    raise AssertionError("never")


async def test_every_buyer_has_the_scores_of_the_pure_function(house: House) -> None:
    await fit(house)
    subjects = await crowd(house)
    await house.tell([happened("customer.created", new_subject(), MORNING - DAY)])

    await night(house, chunk=4)

    assert await kept(house) == await expected(house)
    assert set(await kept(house)) <= set(subjects)
    (run,) = await house.rows("SELECT * FROM scoring")
    values = sorted(clv for _, clv in (await kept(house)).values() if clv is not None)
    assert (run["phase"], run["people"]) == ("done", len(values))
    assert run["clv_top"] == values[-(-len(values) * 4 // 5) - 1]


async def test_a_customer_of_whom_nothing_is_kept_is_folded_from_their_moments(
    house: House,
) -> None:
    await fit(house)
    await crowd(house, 6)
    await house.execute("DELETE FROM customer")

    await night(house)

    assert await kept(house) == await expected(house)


async def test_nothing_is_invented_while_there_is_no_model(house: House) -> None:
    await crowd(house, 3)

    opened = await begin(house.engine, house.settings.scoring, MORNING)
    await night(house)

    assert not opened
    assert await kept(house) == {}
    assert await scored(house) == []


async def test_without_a_model_of_amounts_there_is_a_risk_and_no_value(house: House) -> None:
    await fit(house, spending=False)
    await crowd(house, 3)

    await night(house)

    assert {clv for _, clv in (await kept(house)).values()} == {None}
    (run,) = await house.rows("SELECT clv_top FROM scoring")
    assert run["clv_top"] is None


async def test_what_was_bought_in_another_currency_is_nothing_the_model_knows(
    house: House,
) -> None:
    await fit(house)
    ada, bea = new_subject(), new_subject()
    await house.tell([ordered(ada, MORNING - 9 * DAY, "1"),
                      ordered(bea, MORNING - 9 * DAY, "2", currency="JPY")])  # fmt: skip

    await night(house)

    assert set(await kept(house)) == {ada}


async def test_a_valued_customer_who_crosses_the_line_is_called_once(house: House) -> None:
    await fit(house)
    ada = await treated(house)
    often = [ordered(ada, MORNING - n * 10 * DAY, f"a{n}", 90_000) for n in range(1, 4)]
    named = happened("customer.identified", ada, MORNING - DAY, identifiedby="email")
    yes = happened("consent.granted", ada, MORNING - DAY, purpose="marketing",
                   fields={"channel": "email"})  # fmt: skip
    await house.tell([*often, named, yes])
    await house.tell([ordered(new_subject(), MORNING - n * DAY, f"b{n}") for n in range(8)])
    over = await crossing(house, ada, MORNING - 10 * DAY)

    for at in (MORNING, over - DAY):
        await night(house, at)
    quiet = [one for one in await scored(house) if one[0].subject == ada and
             one[1]["score"] == "churn_risk"]  # fmt: skip
    await hear_back(house)
    await night(house, over)
    told = [one for one in await scored(house) if one[0].subject == ada]
    await hear_back(house)
    await night(house, over + DAY)
    again = [one for one in await scored(house) if one[0].subject == ada]
    await house.decide(over + timedelta(hours=12))

    assert quiet == again == []
    assert [data["score"] for _, data in told] == ["clv", "churn_risk"]
    assert told[0][0].time < told[1][0].time
    assert not told[1][0].historical
    assert told[1][1]["value"] >= LINE
    (called,) = [d for d in await house.decisions(ada) if d["trigger"] == "high_churn_risk"]
    assert (called["outcome"], called["anchor"]) == ("sent", over.date().isoformat())


async def test_who_is_above_the_line_when_first_looked_at_has_not_crossed_it(house: House) -> None:
    await fit(house)
    gone = new_subject()
    await house.tell([ordered(gone, MORNING - 400 * DAY, "1", 90_000)])

    await night(house)
    told = await scored(house)
    await hear_back(house)

    assert [(one.historical, data["score"]) for one, data in told] == [
        (True, "clv"), (True, "churn_risk"),
    ]  # fmt: skip
    assert [one for one in await house.waiting() if one["trigger"] == "high_churn_risk"] == []


async def test_a_night_is_worked_once_however_many_are_at_it(house: House) -> None:
    await fit(house)
    await crowd(house)

    await asyncio.gather(*(night(house, chunk=3) for _ in range(4)))
    once = [(one.subject, data["score"]) for one, data in await scored(house)]
    await night(house, MORNING + timedelta(hours=5))

    assert len(once) == len(set(once)) > 0
    assert len(await scored(house)) == len(once)
    (run,) = await house.rows("SELECT people, told FROM scoring")
    assert (run["people"], run["told"]) == (len(await kept(house)), len(once))


async def test_a_night_that_was_broken_off_goes_on_from_where_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fit(house)
    await crowd(house, 12)
    made = scorer(house, 4)
    await begin(made.engine, made.settings, MORNING)
    await step(made, MORNING)
    before = len(await kept(house))

    def die(name: str) -> None:
        if name == "before_told":
            raise ConnectionError(name)

    monkeypatch.setattr("rapport_personalization.scoring.failpoint", die)
    with pytest.raises(ConnectionError):
        await night(house, chunk=4)
    assert await scored(house) == []
    monkeypatch.undo()
    await night(house, chunk=4)

    told = [(one.subject, data["score"]) for one, data in await scored(house)]
    assert 0 < before < len(await kept(house))
    assert len(told) == len(set(told)) > 0
    assert await kept(house) == await expected(house)


async def test_people_who_are_one_are_scored_as_one_and_the_erased_not_at_all(
    house: House,
) -> None:
    await fit(house)
    ada, bea, gone = sorted(new_subject() for _ in range(3))
    await house.tell([ordered(ada, MORNING - 40 * DAY, "1"), ordered(bea, MORNING - 9 * DAY, "2"),
                      ordered(gone, MORNING - 9 * DAY, "3")])  # fmt: skip
    await night(house)
    alone = await kept(house)

    await house.tell([merged(ada, bea), erased(gone)])
    purged = await kept(house)
    await night(house, MORNING + DAY)

    models = await models_of(house)
    rows = await house.rows("SELECT seq, event_key, value, birthday FROM moment")
    both = folded(ada, [remembered(Kept(*row.values())) for row in rows])
    said = score(models, both.orders.values(), (MORNING + DAY).date()).forecast
    assert said is not None
    assert set(alone) == {ada, bea, gone}
    assert set(purged) == {ada, bea}
    assert await kept(house) == {ada: (said.churn_risk, said.value)}


async def test_an_order_told_late_restates_the_next_night(house: House) -> None:
    await fit(house)
    ada = new_subject()
    await house.tell([ordered(ada, MORNING - 60 * DAY, "1")])
    await night(house)
    before = await kept(house)

    await house.tell([ordered(ada, MORNING - 20 * DAY, "2")])
    await night(house)
    same = await kept(house)
    await night(house, MORNING + DAY)

    assert before == same
    assert await kept(house) == await expected(house, MORNING + DAY)
    assert (await kept(house))[ada][0] < before[ada][0]


async def test_a_condition_is_judged_by_the_line_of_its_time(house: House) -> None:
    await fit(house)
    await crowd(house, 5)
    await night(house)
    await house.tell([ordered(new_subject(), MORNING, f"n{n}", 1_000_000) for n in range(4)])
    await night(house, MORNING + DAY)

    async with house.engine.connect() as tx:
        policies = (await house.shop.rulebook.load(tx)).policies

    nights = await house.rows("SELECT clv_top FROM scoring ORDER BY day")
    first, second = (row["clv_top"] for row in nights)
    assert policies.clv_top_at(MORNING - DAY) is None
    assert policies.clv_top_at(MORNING + DAY / 2) == first
    assert policies.clv_top_at(MORNING + 2 * DAY) == second != first

"""Nights: every buyer is scored by the pure function, once, whoever dies or comes together."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.scoring import score
from rapport_personalization.nightly import open_if_due
from rapport_personalization.reading import Kept, remembered
from rapport_personalization.scoring import begin, step

from tests.support.events import happened, new_subject
from tests.support.nights import (
    DAY,
    MORNING,
    crowd,
    expected,
    fit,
    kept,
    models_of,
    night,
    ordered,
    scored,
    scorer,
)
from tests.support.peoples import erased, merged
from tests.support.personalization_house import House

MUCH_LATER = MORNING + 200 * DAY
"""By then most of them have been silent for long."""


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


async def test_a_night_is_worked_once_however_many_are_at_it(house: House) -> None:
    await fit(house)
    await crowd(house)
    await night(house)

    await asyncio.gather(*(night(house, MUCH_LATER, chunk=3) for _ in range(4)))
    once = [(one.subject, data["score"]) for one, data in await scored(house)]
    await night(house, MUCH_LATER + timedelta(hours=5))

    assert len(once) == len(set(once)) > 0
    assert len(await scored(house)) == len(once)
    *_, run = await house.rows("SELECT people, told FROM scoring ORDER BY day")
    assert (run["people"], run["told"]) == (len(await kept(house)), len(once))


async def test_a_night_that_was_broken_off_goes_on_from_where_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fit(house)
    await crowd(house, 12)
    await night(house)
    made = scorer(house, 4)
    await begin(made.engine, made.settings, MUCH_LATER)
    await step(made, MUCH_LATER)
    (run,) = await house.rows("SELECT people FROM scoring WHERE phase = 'scoring'")

    def die(name: str) -> None:
        if name == "before_told":
            raise ConnectionError(name)

    monkeypatch.setattr("rapport_personalization.scoring.failpoint", die)
    with pytest.raises(ConnectionError):
        await night(house, MUCH_LATER, chunk=4)
    assert await scored(house) == []
    monkeypatch.undo()
    await night(house, MUCH_LATER, chunk=4)

    told = [(one.subject, data["score"]) for one, data in await scored(house)]
    assert 0 < run["people"] < len(await kept(house))
    assert len(told) == len(set(told)) > 0
    assert await kept(house) == await expected(house, MUCH_LATER)


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


@pytest.mark.parametrize(("hour", "is_open"), [(1, False), (2, True), (23, True)])
async def test_a_night_is_opened_at_its_hour_or_by_whoever_comes_later(
    house: House,
    hour: int,
    is_open: bool,  # noqa: FBT001 - by name
) -> None:
    await fit(house)

    await open_if_due(scorer(house), MORNING.replace(hour=hour))

    assert bool(await house.rows("SELECT 1 FROM scoring")) is is_open


async def test_who_is_erased_or_merged_while_being_scored_is_left_to_the_next_night(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fit(house)
    ada, bea, cem, gone = sorted(new_subject() for _ in range(4))
    people = (ada, bea, cem, gone)
    await house.tell([ordered(one, MORNING - 40 * DAY, one) for one in people])

    async def meanwhile(work: Callable[..., Any], *arguments: object) -> object:
        await house.tell([erased(gone), merged(ada, bea)])
        return work(*arguments)

    monkeypatch.setattr("rapport_personalization.scoring.asyncio.to_thread", meanwhile)
    await night(house)
    during = await kept(house)
    monkeypatch.undo()
    await night(house, MORNING + DAY)

    assert set(during) == {cem}
    assert set(await kept(house)) == {ada, cem}


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

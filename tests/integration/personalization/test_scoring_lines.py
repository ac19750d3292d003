"""Who crosses a line overnight is told of, and only they are."""

from datetime import datetime, timedelta

from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.scoring import score
from rapport_personalization.reading import Kept, remembered

from tests.support.events import happened, new_subject
from tests.support.nights import (
    DAY,
    MORNING,
    crowd,
    fit,
    hear_back,
    models_of,
    night,
    ordered,
    scored,
    treated,
)
from tests.support.personalization_house import House

LINE = 0.8


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
    gone, poor = new_subject(), new_subject()
    often = [ordered(gone, MORNING - n * DAY, f"{n}", 90_000) for n in (400, 390)]
    await house.tell([*often, ordered(poor, MORNING - 500 * DAY, "p")])

    await night(house)
    told = await scored(house)
    await hear_back(house)

    assert [(one.subject, one.historical, data["score"]) for one, data in told] == [
        (gone, True, "clv"), (gone, True, "churn_risk"),
    ]  # fmt: skip
    assert [one for one in await house.waiting() if one["trigger"] == "high_churn_risk"] == []


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

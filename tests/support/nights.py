"""Nights in which buyers are scored: the models they need, buyers, and what is told of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from rapport_events.envelope import Envelope, Record
from rapport_personalization import models
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.holdout import is_control, of_trigger
from rapport_personalization.domain.prediction import Buying, Spending
from rapport_personalization.domain.scoring import Models, score
from rapport_personalization.reading import Kept, remembered
from rapport_personalization.scores import load_models
from rapport_personalization.scoring import Scorer, begin, step
from rapport_runtime.database import driver

from tests.support.events import happened, new_subject, record_of
from tests.support.personalization_house import House
from tests.support.privacy import an_email

BUYING = Buying(0.242595, 4.413602 * 7, 0.792922, 2.425907)
"""Of CDNOW, in days."""
SPENDING = Spending(6.2496, 3.7442, 1_544.35)
MORNING = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
DAY = timedelta(days=1)


async def fit(house: House, at: datetime = MORNING, *, spending: bool = True) -> list[Record]:
    """Both models arrive, or only that of how often."""
    told = fitted(at) if spending else fitted(at)[:1]
    async with house.engine.begin() as tx:
        await models.learn(tx, told)
    return told


def fitted(at: datetime) -> list[Record]:
    return [
        _fitted("bgnbd", BUYING._asdict(), at),
        _fitted("gamma_gamma", SPENDING._asdict(), at),
    ]


def _fitted(model: str, parameters: Mapping[str, float], at: datetime) -> Record:
    return happened(
        "model.fitted", None, at, model=model, parameters=dict(parameters), currency="EUR",
        as_of=at.isoformat(), buyers=2_357, definition="clv_predicted.v1",
    )  # fmt: skip


def ordered(
    person: str, at: datetime, order: str, amount: int = 5_000, currency: str = "EUR"
) -> Record:
    return happened("order.placed", person, at, order=order, amount=amount, currency=currency)


def scorer(house: House, chunk: int = 1_000) -> Scorer:
    settings = house.settings.scoring.model_copy(update={"chunk": chunk})
    return Scorer(house.engine, house.shop.rulebook, settings)


async def night(house: House, at: datetime = MORNING, chunk: int = 1_000) -> None:
    """Everybody is scored, and what is to be told is on its way out."""
    made = scorer(house, chunk)
    await begin(made.engine, made.settings, at)
    while await step(made, at) != "idle":
        continue


async def scored(house: House) -> list[tuple[Envelope, dict[str, Any]]]:
    """The scores on their way out, in order."""
    return [one for one in await house.told() if one[0].type == "score.updated.v1"]


async def hear_back(house: House) -> None:
    """What was said comes back through the log."""
    rows = await house.rows("SELECT value FROM outbox ORDER BY id")
    await house.execute("DELETE FROM outbox")
    await house.tell([record_of(row["value"]) for row in rows])


async def treated(house: House, trigger: str = "high_churn_risk") -> str:
    """Somebody reachable by e-mail whom the trigger does not leave out."""
    while True:
        person = await house.person(email=an_email())
        if not is_control(house.settings.tenant, of_trigger(trigger), person, 1_000):
            return person


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

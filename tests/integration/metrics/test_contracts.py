"""Who is a customer by contract, who stays and who leaves."""

from datetime import UTC, datetime

import msgspec
import pytest
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS

from tests.support.events import happened, new_subject
from tests.support.metrics_house import House

FEBRUARY = {"start": "2026-02-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}
CHURN, RETENTION, STRIPE = "ccr_contractual", "crr_contractual", "ccr_contractual_stripe"


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


def started(who: str, when: datetime, name: str = "", amount: int | None = 900) -> Record:
    return told("started", who, when, name, amount)


def ended(who: str, when: datetime, name: str = "") -> Record:
    return told("ended", who, when, name, None)


def told(what: str, who: str, when: datetime, name: str = "", amount: int | None = None) -> Record:
    data: dict[str, object] = {"subscription": name or f"of {who}"}
    if amount is not None:
        data |= {"amount": amount, "currency": "EUR"}
    return happened(f"subscription.{what}", who, when, fields=data)


def of_people(record: Record) -> Record:
    return msgspec.structs.replace(record, topic=CUSTOMERS.name)


async def february(house: House, kpi: str) -> tuple[int, int]:
    [point] = await house.series(kpi, **FEBRUARY, as_of="2026-06-01T00:00:00Z")
    return point["num"], point["den"]


async def five(house: House) -> None:
    """One stays, one leaves, one joins, one joins and leaves, and one had left before."""
    stays, leaves, joins, passes, gone = (new_subject() for _ in range(5))
    await house.tell(
        [
            ended(leaves, at(2, 14)),
            started(stays, at(1, 5)),
            started(leaves, at(1, 5)),
            started(joins, at(2, 10)),
            started(passes, at(2, 3)),
            ended(passes, at(2, 20)),
            started(gone, at(1, 2)),
            ended(gone, at(1, 31)),
        ],
        batch=3,
    )


@pytest.mark.parametrize(
    ("kpi", "expected"), [(CHURN, (1, 2)), (RETENTION, (1, 2)), (STRIPE, (2, 4))]
)
async def test_who_passes_through_counts_by_one_definition_only(
    house: House, kpi: str, expected: tuple[int, int]
) -> None:
    await five(house)

    assert await february(house, kpi) == expected


async def test_a_customer_leaves_with_the_last_subscription(house: House) -> None:
    who = new_subject()

    await house.tell(
        [started(who, at(1, 5), "a"), started(who, at(1, 6), "b"), ended(who, at(2, 9), "a")]
    )
    with_one_left = await february(house, CHURN)
    await house.tell([ended(who, at(2, 10), "b")])

    assert (with_one_left, await february(house, CHURN)) == ((0, 1), (1, 1))


async def test_a_free_trial_is_no_contract_until_it_is_paid(house: House) -> None:
    tries, pays = new_subject(), new_subject()

    await house.tell(
        [
            started(tries, at(1, 5), amount=0),
            started(pays, at(1, 5), amount=0),
            told("renewed", pays, at(1, 20), amount=900),
        ]
    )

    assert await february(house, RETENTION) == (1, 1)


async def test_who_cancels_is_a_customer_until_the_period_ends(house: House) -> None:
    who = new_subject()

    await house.tell([started(who, at(1, 5)), told("cancelled", who, at(2, 2))])

    assert await february(house, CHURN) == (0, 1)


async def test_an_end_at_the_first_instant_of_a_window_is_in_it(house: House) -> None:
    who, other = new_subject(), new_subject()

    await house.tell(
        [
            *(started(who, at(1, 5)), ended(who, at(2, 1))),
            *(started(other, at(1, 5)), ended(other, at(3, 1))),
        ]
    )

    assert await february(house, CHURN) == (1, 2)


async def test_who_comes_back_in_the_window_has_not_left(house: House) -> None:
    who = new_subject()

    await house.tell([started(who, at(1, 5)), ended(who, at(2, 3)), started(who, at(2, 9))])

    assert await february(house, CHURN) == (0, 1)


async def test_two_names_of_one_person_are_one_customer(house: House) -> None:
    phone, laptop = new_subject(), new_subject()
    merge = of_people(happened("customer.merged", phone, at(4, 1), from_subject=laptop))

    await house.tell([started(phone, at(1, 5)), started(laptop, at(1, 6)), ended(laptop, at(2, 9))])
    apart = await february(house, CHURN)
    await house.tell([merge])
    joined = await february(house, CHURN)
    await house.tell(
        [
            of_people(
                happened(
                    "customer.unmerged",
                    phone,
                    at(4, 2),
                    merge_event_id=merge.envelope.id,
                    merge_source=merge.envelope.source,
                )
            )
        ]
    )

    assert (apart, joined, await february(house, CHURN)) == ((1, 2), (0, 1), (1, 2))


async def test_who_is_erased_was_never_a_subscriber(house: House) -> None:
    who, other = new_subject(), new_subject()
    await house.tell([started(who, at(1, 5)), started(other, at(1, 5)), ended(who, at(2, 9))])

    await house.tell([of_people(happened("customer.erased", who, at(4, 1)))])

    assert await february(house, CHURN) == (0, 1)


async def test_without_subscribers_there_is_no_rate(house: House) -> None:
    [point] = await house.series(CHURN, **FEBRUARY)

    assert (point["den"], point["value"]) == (0, None)

"""What is told of somebody's stage, as the announcements so far and what is known now demand."""

import random
from datetime import datetime, timedelta

import pytest
from rapport_profile.domain.facets import Announced, Change, consents, follow
from rapport_profile.domain.lifecycle import INSTANT, lifecycle, next_change, stage, steps
from rapport_profile.domain.state import Consent, Order, Profile, Source

from tests.support.events import NOON, days


def bought(*times: datetime) -> Profile:
    orders = {str(time): Order(placed_at=time, amount=100) for time in times}
    return Profile(orders=orders)


def told(announced: Announced, profile: Profile, now: datetime) -> tuple[Announced, list[Change]]:
    facet, changes = follow(announced, profile, now=now, happened=now)
    return facet.announced, changes


def test_every_boundary_that_was_passed_is_told_in_order() -> None:
    _, changes = told(Announced(), bought(NOON), NOON + days(200))

    assert changes == [
        ("prospect", "new", NOON, "event"),
        ("new", "active", NOON + days(30), "time"),
        ("active", "at_risk", NOON + days(60), "time"),
        ("at_risk", "lapsed", NOON + days(90), "time"),
        ("lapsed", "churned", NOON + days(180), "time"),
    ]


def test_what_was_told_is_not_told_again() -> None:
    announced, first = told(Announced(), bought(NOON), NOON + days(70))

    _, second = told(announced, bought(NOON), NOON + days(70))
    _, third = told(announced, bought(NOON), NOON + days(90))

    assert (len(first), second) == (3, [])
    assert third == [("at_risk", "lapsed", NOON + days(90), "time")]


@pytest.mark.parametrize("seed", range(50))
def test_however_often_somebody_looks_the_same_is_told(seed: int) -> None:
    chance = random.Random(seed)
    purchases = [NOON + days(chance.randrange(900)) for _ in range(chance.randrange(1, 9))]
    end = NOON + days(1_200)

    _, at_once = told(Announced(), bought(*purchases), end)
    announced, step_by_step = Announced(), list[Change]()
    for day in sorted(chance.sample(range(1_200), 20)):
        announced, changes = told(announced, bought(*purchases), NOON + days(day))
        step_by_step += changes
    step_by_step += told(announced, bought(*purchases), end)[1]

    assert step_by_step == at_once
    assert at_once[-1].after == stage(purchases, end)


@pytest.mark.parametrize("seed", range(50))
def test_the_next_look_is_due_when_the_stage_changes_by_itself(seed: int) -> None:
    chance = random.Random(seed)
    purchases = [NOON + days(chance.randrange(400)) for _ in range(chance.randrange(1, 9))]
    now = NOON + days(chance.randrange(500))

    facet, _ = follow(Announced(), bought(*purchases), now=now, happened=now)

    current = stage(purchases, now + INSTANT)
    for day in range(700):
        moment = now + days(day)
        if facet.until is not None and moment >= facet.until:
            break
        assert stage(purchases, moment + INSTANT) == current
    if facet.until is not None:
        assert stage(purchases, facet.until + INSTANT) != current


@pytest.mark.parametrize("seed", range(50))
def test_the_next_change_is_the_first_step(seed: int) -> None:
    chance = random.Random(seed)
    purchases = [NOON + days(chance.randrange(300)) for _ in range(chance.randrange(9))]
    now = NOON + days(chance.randrange(600))

    first = next(steps(purchases, now, None), None)

    assert next_change(purchases, now) == (None if first is None else first.at)


def test_loyalty_ends_when_an_order_is_too_old() -> None:
    purchases = [NOON, NOON + days(150), NOON + days(160), NOON + days(170)]

    changes = list(steps(purchases, NOON + days(165), None))

    assert [(step.at - NOON, step.before, step.after) for step in changes[:2]] == [
        (days(170), "active", "loyal"), (days(180), "loyal", "active"),
    ]  # fmt: skip


def test_somebody_won_back_is_loyal_or_active_after_thirty_days() -> None:
    often = [NOON, NOON + days(1), NOON + days(2), NOON + days(95)]
    seldom = [NOON, NOON + days(95)]

    ends = [next(steps(times, NOON + days(96), None)) for times in (often, seldom)]

    assert [(end.at - NOON, end.before, end.after) for end in ends] == [
        (days(125), "won_back", "loyal"), (days(125), "won_back", "active"),
    ]  # fmt: skip


def test_a_late_order_restates_what_was_said_of_the_time_after_it() -> None:
    announced, _ = told(Announced(), bought(NOON), NOON + days(65))

    announced, changes = told(announced, bought(NOON, NOON + days(50)), NOON + days(65))

    assert changes == [("at_risk", "active", NOON + days(30), "restated")]
    _, later = told(announced, bought(NOON, NOON + days(50)), NOON + days(110))
    assert later == [("active", "at_risk", NOON + days(110), "time")]


def test_a_refund_that_takes_the_late_order_back_is_a_restatement_too() -> None:
    announced, _ = told(Announced(), bought(NOON), NOON + days(65))
    announced, _ = told(announced, bought(NOON, NOON + days(50)), NOON + days(65))

    _, changes = told(announced, bought(NOON), NOON + days(66))

    assert changes == [("active", "at_risk", NOON + days(60), "restated")]


def test_a_refund_of_the_only_order_makes_a_prospect_from_then_on() -> None:
    announced, _ = told(Announced(), bought(NOON), NOON + days(1))

    announced, changes = told(announced, Profile(), NOON + days(2))

    assert changes == [("new", "prospect", NOON + days(2), "restated")]
    assert told(announced, Profile(), NOON + days(3)) == (announced, [])


def test_a_late_order_that_changes_nothing_now_is_not_told() -> None:
    announced, _ = told(Announced(), bought(NOON), NOON + days(40))

    announced, changes = told(announced, bought(NOON, NOON + days(10)), NOON + days(41))

    assert changes == []
    _, later = told(announced, bought(NOON, NOON + days(10)), NOON + days(80))
    assert later == [("active", "at_risk", NOON + days(70), "time")]


def test_of_somebody_told_apart_the_stage_is_said_once() -> None:
    announced, changes = told(Announced(None), bought(NOON), NOON + days(10))

    assert changes == [(None, "new", NOON, "restated")]
    assert told(announced, bought(NOON), NOON + days(10))[1] == []
    assert told(Announced(None), Profile(), NOON)[1] == []


def test_an_order_of_the_future_counts_when_its_time_has_come() -> None:
    tomorrow = NOON + days(1)

    facet, changes = follow(Announced(), bought(tomorrow), now=NOON, happened=NOON)

    assert (facet.until, changes) == (tomorrow, [])


def test_a_thousand_orders_are_followed_in_milliseconds() -> None:
    purchases = [NOON + days(day) for day in range(1_000)]

    began = lifecycle(purchases, NOON + days(1_000)).since

    assert began == NOON + days(3)


@pytest.mark.parametrize(
    ("words", "granted"),
    [
        ([("email", True, 1)], ["email/marketing"]),
        ([("email", True, 1), ("*", False, 2)], []),
        ([("*", False, 1), ("email", True, 2)], ["email/marketing"]),
        ([("email", False, 1)], []),
    ],
)
def test_the_newest_word_on_a_channel_or_on_all_of_them_counts(
    words: list[tuple[str, bool, int]], granted: list[str]
) -> None:
    profile = Profile(
        consents={
            f"{channel}/marketing": Consent(yes, Source("", "", NOON + timedelta(hours=hour)))
            for channel, yes, hour in words
        }
    )

    assert consents(profile) == granted


def test_a_consent_without_a_channel_is_for_every_channel() -> None:
    profile = Profile(consents={"*/service": Consent(True, Source("", "", NOON))})  # noqa: FBT003

    assert "sms/service" in consents(profile)
    assert len(consents(profile)) == 10

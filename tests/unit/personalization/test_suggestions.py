"""What an agent might do next: as given moments, then suggestions."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from rapport_events import wire
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.moment import Moment, Personal
from rapport_personalization.domain.suggestions import (
    Answers,
    Looked,
    suggest,
    suggestion_id,
)

from tests.support.decisions import ADA, DAY, HOUR, NOON, POLICIES, moment

YES = moment(wire.ConsentGranted(purpose="marketing", channel=None), NOON - 300 * DAY)


def looked(
    moments: Iterable[Moment], now: datetime = NOON, answers: Answers | None = None
) -> Looked:
    return suggest(folded(ADA, moments), now, POLICIES, answers)


def rules(moments: Iterable[Moment], now: datetime = NOON) -> list[str]:
    return [one.rule for one in looked(moments, now).open]


def asked(at: datetime = NOON - HOUR) -> Moment:
    return moment(wire.TicketCreated(ticket="t1"), at, channel="email")


def promised(due: datetime) -> Moment:
    return moment(wire.CommitmentMade(commitment="c1", due=due, agent="eve"), NOON - 9 * DAY)


def bought(days: float, name: str, amount: int = 5_000) -> Moment:
    return moment(wire.OrderPlaced(order=name, amount=amount, currency="EUR"), NOON - days * DAY)


def scored(name: str, value: float, at: datetime = NOON - HOUR) -> Moment:
    return moment(wire.ScoreUpdated(score=name, value=value), at)


def test_a_promise_is_to_be_kept_from_the_day_before_it_is_due_until_it_is() -> None:
    due = NOON + 3 * DAY
    kept = moment(wire.CommitmentKept(commitment="c1"), NOON + 5 * DAY)

    assert rules([promised(due)]) == []
    assert rules([promised(due)], due - DAY) == ["keep_promise"]
    assert rules([promised(due), kept], NOON + 6 * DAY) == []
    assert looked([promised(due)]).again == due - DAY


def test_a_question_of_somebody_with_a_full_cart_comes_before_all_else() -> None:
    cart = moment(wire.CartUpdated(cart="c", value=9_900, currency="EUR"), NOON - 2 * HOUR)
    answered = moment(
        wire.TicketMessage(ticket="t1", direction="out", public=True), NOON - HOUR / 2
    )

    (found, *_) = looked([asked(), cart, promised(NOON)]).open

    assert (found.rule, found.occasion.ref, found.occasion.value) == (
        "answer_buyer", "ticket:t1", 9_900,
    )  # fmt: skip
    assert "answer_buyer" not in rules([asked(), cart, answered])
    assert "answer_buyer" not in rules([asked(), cart, bought(0, "o1")])


def test_a_parcel_is_late_once_its_day_is_over_or_somebody_says_so() -> None:
    sent = moment(wire.OrderShipped(order="o1", eta=NOON + DAY), NOON - DAY)
    slow = moment(wire.ShipmentDelayed(order="o1", eta_after=NOON + 4 * DAY), NOON - HOUR)
    came = moment(wire.OrderDelivered(order="o1"), NOON + 2 * DAY)
    order = bought(2, "o1")

    assert "parcel_late" not in rules([order, sent])
    assert "parcel_late" in rules([order, sent], NOON + DAY)
    assert "parcel_late" in rules([order, sent, slow])
    assert "parcel_late" not in rules([order, sent, slow, came], NOON + 3 * DAY)


def test_a_detractor_is_won_back_by_a_better_score() -> None:
    bad = moment(wire.SurveyResponded(survey="s1", kind="nps", score=3), NOON - DAY)
    good = moment(wire.SurveyResponded(survey="s2", kind="nps", score=9), NOON - HOUR)

    assert rules([bad]) == ["recover_detractor"]
    assert rules([bad, good]) == []
    assert rules([bad], NOON + 30 * DAY) == []


def test_a_payment_that_failed_is_spoken_of_until_it_is_made() -> None:
    failed = moment(wire.PaymentFailed(invoice="i1", amount=4_900, currency="EUR"), NOON - DAY)
    paid = moment(wire.InvoicePaid(invoice="i1"), NOON - HOUR)

    (found,) = looked([failed]).open

    assert (found.rule, found.occasion.value) == ("payment_failed", 4_900)
    assert [fact.name for fact in found.occasion.facts] == ["failed_at", "amount"]
    assert all(fact.events == (failed.key,) for fact in found.occasion.facts)
    assert rules([failed, paid]) == []


def test_who_will_probably_leave_is_worth_what_they_would_bring() -> None:
    known = [bought(90, "o1"), YES, scored("clv", 64_000.0), scored("churn_risk", 0.91)]

    (found,) = looked(known).open

    assert (found.rule, found.occasion.value, found.occasion.currency) == (
        "keep_customer", 64_000, "EUR",
    )  # fmt: skip
    assert [fact.value for fact in found.occasion.facts] == ["0.91", "64000"]
    assert rules([*known[:3], scored("churn_risk", 0.5)]) == []


def test_points_that_lapse_in_one_month_are_spoken_of_together_and_in_time() -> None:
    earned = [moment(wire.PointsEarned(points=n), NOON - n * DAY) for n in (340, 341, 100)]

    (found,) = looked([*earned, YES]).open

    assert found.rule == "points_expiring"
    assert found.occasion.facts[0].value == "681"
    assert rules([*earned, YES], NOON - 10 * DAY) == []


def test_a_birthday_is_near_for_a_week_and_its_day_is_not_told() -> None:
    day = NOON + 3 * DAY
    born = moment(wire.CustomerCreated(), NOON - 90 * DAY, personal=Personal((day.month, day.day)))

    (found,) = looked([born]).open

    assert (found.rule, found.occasion.facts, found.occasion.due) == ("birthday", (), None)
    assert rules([born], NOON - 5 * DAY) == []
    assert rules([born], NOON + 5 * DAY) == []


def test_who_buys_at_intervals_is_due_again_when_one_is_over() -> None:
    regular = [bought(days, f"o{days}") for days in (90, 60, 30)]

    assert rules([*regular, YES]) == ["due_again"]
    assert rules([*regular, YES], NOON - 5 * DAY) == []
    assert rules([*regular, YES, bought(-1, "new")], NOON + 2 * DAY) == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (moment(wire.ConsentWithdrawn(purpose="marketing", channel=None), NOON - DAY),
         "no_consent"),
        (moment(wire.ContactSuppressed(scope="marketing"), NOON - DAY), "suppressed"),
        (asked(), "open_case"),
        (moment(wire.SurveyResponded(survey="s", kind="ces", score=2), NOON - DAY),
         "recent_bad_score"),
    ],
)  # fmt: skip
def test_nothing_is_sold_to_who_said_no_or_waits_or_is_angry(more: Moment, why: str) -> None:
    regular = [bought(days, f"o{days}") for days in (90, 60, 30)]

    found = looked([*regular, YES, more])

    (held,) = [one for one in found.held if one.rule == "due_again"]
    assert held.hold is not None
    assert (held.hold.why, held.hold.events) == (why, (more.key,))
    assert "due_again" not in [one.rule for one in found.open]


def test_what_is_their_own_affair_is_told_to_who_said_no() -> None:
    no = moment(wire.ConsentWithdrawn(purpose="marketing", channel=None), NOON - DAY)

    assert rules([promised(NOON), asked(), no]) == ["keep_promise"]


@pytest.mark.parametrize("answer", [wire.SuggestionAccepted, wire.SuggestionDismissed])
def test_what_was_answered_rests_and_comes_again(
    answer: type[wire.SuggestionAccepted | wire.SuggestionDismissed],
) -> None:
    failed = moment(wire.PaymentFailed(invoice="i1", amount=4_900), NOON - DAY)
    id_ = suggestion_id("payment_failed", failed.key.hex())
    said = moment(answer(suggestion=id_, trigger="payment_failed"), NOON)

    found = looked([failed, said], NOON + HOUR)
    early = looked([failed], NOON + HOUR, Answers({}, {id_: said.mark}))

    (held,) = found.held
    assert held.hold is not None
    assert found.open == early.open == []
    assert held.hold.until == found.again == NOON + 3 * DAY
    assert [one.id for one in looked([failed, said], NOON + 3 * DAY).open] == [id_]


def test_an_erased_customer_is_left_alone() -> None:
    gone = moment(wire.CustomerErased(), NOON - HOUR)

    assert looked([promised(NOON), gone]) == Looked((), (), None)


def test_until_it_says_to_look_again_nothing_changes() -> None:
    rng = Random(3)
    for _ in range(60):
        known = rng.sample(_LIFE, rng.randint(1, len(_LIFE)))
        now, seen = NOON - 20 * DAY, []
        for _ in range(40):
            found = looked(known, now)
            seen.append((now, [one.id for one in found.open]))
            if found.again is None:
                break
            now = found.again
        for (start, open_), (end, _) in pairwise(seen):
            between = start + (end - start) * rng.random()
            assert [one.id for one in looked(known, between).open] == open_


_LIFE = [
    YES, promised(NOON + DAY), asked(), bought(90, "a"), bought(61, "b"), bought(30, "c"),
    scored("churn_risk", 0.9), scored("clv", 100.0),
    moment(wire.PaymentFailed(invoice="i1", amount=1), NOON - DAY),
    moment(wire.PointsEarned(points=7), NOON - 340 * DAY),
    moment(wire.SurveyResponded(survey="s", kind="csat", score=1), NOON - timedelta(hours=5)),
    moment(wire.CartUpdated(cart="c", value=5), NOON),
    moment(wire.OrderShipped(order="c", eta=NOON + 2 * DAY), NOON - DAY),
    moment(wire.SubscriptionCancellationRequested(subscription="s"), NOON),
    moment(wire.CustomerCreated(), NOON - 99 * DAY, personal=Personal((2, 29))),
]  # fmt: skip

"""What is known of a person at one instant."""

from datetime import timedelta

import msgspec
import pytest
from rapport_events import wire
from rapport_personalization.domain.consents import allows
from rapport_personalization.domain.customer import Customer, packed, unpacked
from rapport_personalization.domain.fields import read
from rapport_personalization.domain.fold import FOLDED, fold, folded, is_late
from rapport_personalization.domain.moment import Moment, Personal, reaches
from rapport_personalization.domain.policies import DEFAULTS
from rapport_personalization.domain.scene import Scene

from tests.support.decisions import ADA, DAY, HOUR, NOON, moment

MINUTE = timedelta(minutes=1)


def known(*data: wire.Data, channel: str | None = None) -> Customer:
    """An hour between each."""
    return folded(ADA, [moment(one, NOON + number * HOUR, name=str(number), channel=channel) for number, one in enumerate(data)])  # noqa: E501 # fmt: skip


def test_what_nobody_uses_changes_nothing_but_the_time() -> None:
    customer = known(wire.PageViewed(page="/"))

    assert msgspec.structs.replace(customer, newest=None) == Customer(ADA)
    assert "page.viewed.v1" not in FOLDED


def test_a_copy_can_be_folded_on_without_changing_the_first() -> None:
    first = known(wire.OrderPlaced(order="o1", amount=100))
    second = first.copy()

    fold(second, moment(wire.OrderRefunded(order="o1"), NOON + DAY))

    assert len(first.bought) == 1
    assert not first.orders["o1"].refunds
    assert second.bought == []


def test_what_is_kept_as_bytes_is_the_same_again() -> None:
    personal = Personal((2, 29), frozenset({"email"}))
    customer = folded(
        ADA,
        [
            moment(wire.CustomerCreated(tz="Asia/Tokyo"), personal=personal),
            moment(wire.TicketCreated(ticket="t1"), NOON + HOUR, channel="chat"),
            moment(wire.PointsEarned(points=5), NOON + 2 * HOUR),
            moment(wire.ScoreUpdated(score="clv", value=5.0), NOON + 3 * HOUR),
        ],
    )  # fmt: skip

    assert unpacked(packed(customer)) == customer


def test_what_another_version_kept_is_not_taken_for_ours() -> None:
    kept = packed(known(wire.OrderPlaced(order="o1", amount=100)))
    layout, state = kept[:8], kept[8:]

    for strange in (state, bytes(8) + state, layout, layout + b"\x93\x01\x02\x03", b""):
        with pytest.raises(msgspec.DecodeError):
            unpacked(strange)


def test_a_refund_may_be_known_before_its_order() -> None:
    customer = known(
        wire.OrderRefunded(order="o1", refund="r1", amount=40),
        wire.OrderPlaced(order="o1", amount=100),
    )

    assert customer.orders["o1"].net == 60
    assert len(customer.bought) == 1


@pytest.mark.parametrize("amount", [40, None])
@pytest.mark.parametrize("currency", ["JPY", "EUR", None])
def test_a_refund_in_another_currency_takes_nothing_off_the_order(
    amount: int | None, currency: str | None
) -> None:
    customer = known(
        wire.OrderRefunded(order="o1", refund="r1", amount=amount, currency=currency),
        wire.OrderPlaced(order="o1", amount=100, currency="EUR"),
    )

    assert customer.orders["o1"].net == (100 if currency == "JPY" else 100 - (amount or 100))
    assert len(customer.bought) == (customer.orders["o1"].net > 0)


def test_a_refund_that_is_told_twice_under_one_number_is_one() -> None:
    refund = wire.OrderRefunded(order="o1", refund="r1", amount=60)

    customer = known(wire.OrderPlaced(order="o1", amount=100), refund, refund)

    assert customer.orders["o1"].net == 40


def test_the_first_that_was_placed_under_a_number_is_the_order() -> None:
    customer = known(
        wire.OrderPlaced(order="o1", amount=100), wire.OrderPlaced(order="o1", amount=900)
    )

    assert customer.orders["o1"].amount == 100
    assert len(customer.bought) == 1


def test_orders_without_a_number_are_each_their_own() -> None:
    assert len(known(wire.OrderPlaced(amount=100), wire.OrderPlaced(amount=100)).bought) == 2


def test_a_case_is_open_from_its_creation_until_it_is_resolved_and_again_after() -> None:
    life = (
        wire.TicketResolved(ticket="t1"),
        wire.TicketCreated(ticket="t1"),
        wire.TicketResolved(ticket="t1"),
        wire.TicketReopened(ticket="t1"),
    )

    opened = [known(*life[: length + 1]).tickets["t1"].is_open for length in range(4)]

    assert opened == [False, True, False, True]


def test_a_question_waits_until_a_human_being_answers() -> None:
    asked = wire.TicketMessage(ticket="t1", direction="in")
    by_bot = wire.TicketMessage(ticket="t1", direction="out", bot=True)
    note = wire.TicketMessage(ticket="t1", direction="out", public=False)
    answered = wire.TicketMessage(ticket="t1", direction="out", agent="eve")
    created = wire.TicketCreated(ticket="t1")

    waiting = [
        known(*life).tickets["t1"].waiting is not None
        for life in (
            (created,),
            (created, by_bot, note),
            (created, answered),
            (created, answered, asked),
        )
    ]

    assert waiting == [True, True, False, True]


@pytest.mark.parametrize(
    ("score", "revision", "counted"), [(9, 2, 9), (9, 1, 9), (9, None, 9), (None, 3, 2)]
)
def test_a_later_revision_is_the_answer(score: int | None, revision: int | None, counted: int) -> None:  # noqa: E501 # fmt: skip
    first = wire.SurveyResponded(survey="v", kind="nps", score=2)
    second = wire.SurveyResponded(survey="v", kind="nps", score=score, revision=revision)

    assert known(first, second).answers["v"].score == counted


def test_an_earlier_revision_that_comes_later_is_not() -> None:
    second = wire.SurveyResponded(survey="v", kind="nps", score=9, revision=2)
    first = wire.SurveyResponded(survey="v", kind="nps", score=2, revision=1)

    assert known(second, first).answers["v"].score == 9


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ((), False),
        ((wire.ConsentGranted(purpose="marketing", channel="email"),), True),
        ((wire.ConsentGranted(purpose="marketing"),), True),
        ((wire.ConsentGranted(purpose="service", channel="email"),), False),
        ((wire.ConsentGranted(purpose="marketing", channel="sms"),), False),
        ((wire.ConsentGranted(purpose="marketing", channel="email"), wire.ConsentWithdrawn(purpose="marketing")), False),  # noqa: E501
        ((wire.ConsentWithdrawn(purpose="marketing"), wire.ConsentGranted(purpose="marketing", channel="email")), True),  # noqa: E501
        ((wire.CustomerCreated(email_consent=True),), True),
        ((wire.CustomerCreated(email_consent=True), wire.MessageUnsubscribed(channel="email")), False),  # noqa: E501
    ],
)  # fmt: skip
def test_of_several_words_about_a_channel_the_last_holds(
    said: tuple[wire.Data, ...],
    allowed: bool,  # noqa: FBT001
) -> None:
    assert allows(known(*said).consents, "email", "marketing") is allowed


def test_points_earned_first_are_spent_first() -> None:
    customer = known(
        wire.PointsEarned(points=100), wire.PointsEarned(points=50), wire.PointsRedeemed(points=120)
    )

    assert [lot.left for lot in customer.points] == [30]


def test_more_points_than_there_are_cannot_be_spent() -> None:
    customer = known(wire.PointsEarned(points=10), wire.PointsExpired(points=99), wire.PointsEarned(points=7))  # noqa: E501 # fmt: skip

    assert [lot.left for lot in customer.points] == [7]


def test_who_renews_after_asking_to_leave_stays() -> None:
    customer = known(
        wire.SubscriptionStarted(subscription="s", plan="gold"),
        wire.SubscriptionCancellationRequested(subscription="s"),
        wire.SubscriptionRenewed(subscription="s"),
    )

    assert customer.subscriptions["s"].leaving is None
    assert customer.subscriptions["s"].plan == "gold"


def test_a_visit_ends_with_half_an_hour_of_looking_elsewhere() -> None:
    views = [moment(wire.ProductViewed(product="p"), NOON + minutes * MINUTE) for minutes in (0, 30, 60, 91)]  # noqa: E501 # fmt: skip

    assert [one.views for one in folded(ADA, views).sessions.values()] == [3, 1]


def test_what_was_not_said_does_not_overwrite_what_was() -> None:
    customer = known(
        wire.CustomerCreated(segment="vip", tz="Asia/Tokyo", language="ja"),
        wire.PreferenceChanged(language="en"),
        wire.CustomerCreated(),
    )

    assert (customer.segment, customer.tz, customer.language) == ("vip", "Asia/Tokyo", "en")


def test_what_comes_late_is_seen_to_be_late() -> None:
    customer = known(wire.OrderPlaced(order="o1", amount=1))

    assert is_late(customer, moment(wire.OrderPlaced(order="o0", amount=1), NOON - HOUR))
    assert not is_late(customer, moment(wire.OrderPlaced(order="o2", amount=1), NOON + HOUR))


def test_identifiers_say_where_somebody_can_be_reached() -> None:
    assert reaches(["email", "phone", "anonymous_id"]) == {"email", "phone", "sms"}


def test_the_median_gap_is_one_that_there_was() -> None:
    days = (0, 10, 30, 31, 90)
    orders: list[Moment] = [
        moment(wire.OrderPlaced(order=f"o{day}", amount=1), NOON + day * DAY) for day in days
    ]

    scene = Scene(folded(ADA, orders), NOON + 91 * DAY, DEFAULTS)

    assert read("customer.median_gap", scene).value == 10 * DAY
    assert read("customer.stage", scene).value == "loyal"
    assert len(read("customer.order_count", scene).keys) == 5

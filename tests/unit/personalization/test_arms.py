"""Who is held out, and who is one person: drawn once, kept, also after a merge."""

from rapport_events import wire
from rapport_personalization.domain.deciding import ids_of
from rapport_personalization.domain.holdout import bucket, decision_id, is_control
from rapport_personalization.domain.replay import replay

from tests.support.deciding import decided, earlier
from tests.support.decisions import (
    ADA,
    BOB,
    DAY,
    HOUR,
    NOON,
    POLICIES,
    a_customer,
    a_trigger,
    moment,
    shipped,
)


def test_buckets_and_ids_are_those_of_the_specification() -> None:
    """Of `printf rapport:global:ada | sha256sum`: the first 16 digits, modulo 10,000."""
    assert bucket("rapport", "global", "ada") == 7_915
    assert decision_id("rapport", "welcome", "ada", "person") == (
        "da7ed0b68236951926d7a540e1882458614829905b8582674bbac221899c2f92"
    )


def test_shares_are_shares() -> None:
    held = sum(is_control("t", "global", str(person), 200) for person in range(20_000))

    assert 0.017 < held / 20_000 < 0.023


def test_arms_of_two_scopes_are_drawn_apart() -> None:
    people = [str(person) for person in range(20_000)]
    both = sum(is_control("t", "a", one, 1_000) and is_control("t", "b", one, 1_000) for one in people)  # noqa: E501 # fmt: skip

    assert 0.007 < both / 20_000 < 0.013


def test_the_arm_is_fixed_at_the_first_decision() -> None:
    everybody_out = a_trigger(holdout=10_000)

    assert decided(trigger=everybody_out).outcome == "holdout"
    past = (earlier(30 * DAY, trigger="thanks", outcome="sent"),)
    assert decided(trigger=everybody_out, past=past).outcome == "sent"


def test_who_is_left_out_of_everything_is_left_out_of_everything() -> None:
    past = (earlier(30 * DAY, outcome="holdout", scope="global"),)

    found = decided(past=past)

    assert (found.outcome, found.scope, found.is_mixed) == ("holdout", "global", False)


def test_who_was_merged_of_different_arms_is_in_no_analysis() -> None:
    past = (
        earlier(30 * DAY, trigger="thanks", outcome="sent"),
        earlier(20 * DAY, trigger="thanks", outcome="holdout", person=BOB),
    )

    found = decided(past=past)

    assert found.is_mixed
    assert found.outcome == "sent", "the first arm is kept"


def test_one_who_was_merged_is_not_asked_twice() -> None:
    """The id is checked under each member, since the anchor stays and the person does not."""
    ids = ids_of("thanks", "o1", (ADA, BOB), POLICIES)

    assert ids[ADA] == decided().id
    assert len(set(ids.values())) == 2


def test_a_merged_person_is_decided_about_as_one() -> None:
    life = [
        *a_customer(),
        moment(wire.CartUpdated(cart="c1", value=100), NOON),
        moment(wire.OrderPlaced(order="o1", amount=100), NOON + HOUR, subject=BOB),
    ]

    found = [one for one in replay(shipped(), ADA, life, POLICIES, NOON + DAY) if one.is_told]

    assert {(one.trigger, one.outcome) for one in found} == {
        ("abandoned_cart", "cancelled"),
        ("thanks", "sent"),
    }

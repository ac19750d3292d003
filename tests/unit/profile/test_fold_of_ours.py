"""What our own services tell of a customer, beside what publishers tell."""

import random
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile.domain.fold import Fact, fold, is_late
from rapport_profile.domain.people import Person, carry_on, refold
from rapport_profile.domain.state import Profile, pack

from tests.support.events import NOON, days, happened, new_subject

ADA = new_subject()


def given(*records: Record) -> Profile:
    ordered = sorted(records, key=lambda record: record.order)
    return fold(Profile(), [(record, decode_data(record.envelope)) for record in ordered])


def viewed() -> Record:
    return happened("page.viewed", ADA, NOON, channel="web", page="home")


def answered(score: int, at: float = 0, survey: str = "v", **more: Any) -> Record:  # noqa: ANN401
    fields = {"survey": survey, "kind": "nps", "score": score, **more}
    return happened("survey.responded", ADA, NOON + days(at), fields=fields)


def suggested(what: str, at: float, suggestion: str = "s", **more: Any) -> Record:  # noqa: ANN401
    fields = {"suggestion": suggestion, "trigger": "payment_failed", **more}
    return happened(f"suggestion.{what}", ADA, NOON + days(at), fields=fields)


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        ("survey.sent", {"survey": "v", "kind": "nps"}),
        ("survey.not_invited", {"reason": "throttled"}),
        ("action.requested", {"action": "a"}),
        ("message.sent", {"message": "m"}),
        ("message.bounced", {"message": "m"}),
        ("decision.made", {"decision": "d"}),
        ("offer.issued", {"offer": "o"}),
        ("loop.opened", {"loop": "l"}),
        ("task.created", {"task": "t"}),
        ("score.updated", {"score": "clv", "value": 1.5}),
        ("suggestion.made", {"suggestion": "s"}),
        ("suggestion.dismissed", {"suggestion": "s"}),
    ],
)
def test_what_we_say_ourselves_is_no_sign_of_the_customer(
    type_: str, fields: dict[str, Any]
) -> None:
    said = happened(type_, ADA, NOON + days(1), channel="web", fields=fields)

    profile = given(viewed(), said)

    assert profile.last_seen == NOON
    assert profile.touches["web"].by.time == NOON
    assert profile.events[f"{type_}.v1"] == 1


def test_an_answer_is_a_sign_of_the_customer() -> None:
    answer = happened(
        "survey.responded", ADA, NOON + days(1), channel="web", survey="v", kind="nps", score=9
    )

    profile = given(viewed(), answer)

    assert profile.last_seen == NOON + days(1)
    assert profile.touches["web"].type == "survey.responded.v1"


def test_an_order_heard_of_after_a_later_answer_folds_nothing_anew() -> None:
    profile = given(answered(9, at=2))

    assert not is_late(profile, happened("order.placed", ADA, NOON, order="o"))
    assert not is_late(given(happened("order.placed", ADA, NOON + days(2), order="o")), answered(9))


def test_an_answer_heard_of_after_a_later_answer_is_late() -> None:
    assert is_late(given(answered(9, at=2)), answered(3))


def test_a_state_from_before_answers_had_an_order_of_their_own_is_not_overtaken() -> None:
    old = given(answered(9, at=2))
    old.newest, old.newest_aside = old.newest_aside, None

    assert is_late(old, answered(3))
    assert not is_late(old, answered(3, at=3))


def test_a_suggestion_is_open_until_somebody_says_otherwise_and_again_when_made_again() -> None:
    made, gone, again = suggested("made", 1), suggested("withdrawn", 2), suggested("made", 3)
    done = suggested("accepted", 4)

    states = [given(*told).suggestions["s"].state for told in
              ([made], [made, gone], [made, gone, again], [made, gone, again, done])]  # fmt: skip

    assert states == ["open", "withdrawn", "open", "accepted"]


def test_a_suggestion_is_never_late_and_makes_nothing_else_late() -> None:
    profile = given(suggested("withdrawn", 9), answered(9, at=1))

    assert not is_late(profile, suggested("made", 1))
    assert not is_late(profile, happened("order.placed", ADA, NOON, order="o"))
    assert fold(profile, [_fact(suggested("made", 1))]).suggestions["s"].state == "withdrawn"


def _fact(record: Record) -> Fact:
    return record, decode_data(record.envelope)


def _history() -> list[Record]:
    where: dict[str, Any] = {"channel": "email", "purpose": "marketing"}
    return [
        happened("order.placed", ADA, NOON, order="o", amount=900, currency="EUR"),
        happened("ticket.created", ADA, NOON + days(1), ticket="t", channel="email"),
        happened("survey.sent", ADA, NOON + days(1), survey="v", kind="nps", channel="email"),
        answered(3, at=2),
        answered(8, at=3, revision=2),
        answered(9, at=4, survey="w"),
        happened("message.sent", ADA, NOON + days(2), message="m", channel="email"),
        happened("message.unsubscribed", ADA, NOON + days(3), message="m", channel="email"),
        happened("task.created", ADA, NOON + days(2), task="k", assignee="eve"),
        happened("task.completed", ADA, NOON + days(4), task="k", assignee="ben"),
        happened("score.updated", ADA, NOON + days(2), score="clv", value=1.5),
        happened("score.updated", ADA, NOON + days(3), score="clv", value=2.5),
        happened("consent.granted", ADA, NOON + days(4), fields=where),
        happened("decision.made", ADA, NOON + days(5), decision="d", channel="email"),
        suggested("made", 1, priority=700, facts=[{"fact": "amount", "value": "4900"}]),
        suggested("withdrawn", 2),
        suggested("made", 3),
        suggested("made", 3, suggestion="other"),
        suggested("accepted", 4, suggestion="other"),
    ]


@for_any(st.randoms(use_true_random=False), st.integers(1, 5))
def test_topics_may_be_read_in_any_order_and_the_profile_is_the_same(
    chance: random.Random, size: int
) -> None:
    history = _history()
    arrivals = chance.sample(history, len(history))
    person = Person(ADA, [ADA], Profile())

    for start in range(0, len(arrivals), size):
        batch = arrivals[start : start + size]
        person.facts = [(record, decode_data(record.envelope)) for record in batch]
        carry_on(person)
        if person.is_stale:
            heard = arrivals[: start + size]
            refold(person, [(record, decode_data(record.envelope)) for record in heard])
            person.is_stale = False

    assert pack(person.profile) == pack(given(*history))

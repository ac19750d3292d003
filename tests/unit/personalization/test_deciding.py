"""One candidate, one decision: the first gate that fails names it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rapport_events import wire
from rapport_personalization.conditions import compile_condition
from rapport_personalization.domain.deciding import decide
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Cap
from rapport_personalization.domain.replay import derived

from tests.support.deciding import SCHEMA, a_case, an_answer, decided, earlier, withdrawn
from tests.support.decisions import (
    ADA,
    DAY,
    HOUR,
    NOON,
    POLICIES,
    a_candidate,
    a_customer,
    a_trigger,
    moment,
    shipped,
)


def test_with_nothing_against_it_it_is_sent() -> None:
    found = decided()

    assert (found.outcome, found.gate, found.channel, found.effect) == (
        "sent", None, "email", "action",
    )  # fmt: skip
    assert (found.arm, found.scope) == ("treated", "trigger:thanks")


def test_the_first_gate_that_fails_names_the_outcome() -> None:
    """All of them would fail; each one that is mended uncovers the next."""
    never = compile_condition("now >= candidate.at", SCHEMA)
    rule = a_trigger(cancel=never, cooldown=DAY, holdout=10_000)
    past = (earlier(HOUR, trigger="thanks"),)
    against = [withdrawn(), a_case(), an_answer(HOUR)]
    outcomes = [decided(*against, trigger=rule, past=past).outcome]
    rule = replace(rule, cancel=None)
    outcomes.append(decided(*against, trigger=rule, past=past).outcome)
    outcomes.append(decided(*against[1:], trigger=rule, past=past).outcome)
    outcomes.append(decided(*against[2:], trigger=rule, past=past).outcome)
    outcomes.append(decided(trigger=rule, past=past).outcome)
    rule = replace(rule, cooldown=None)
    outcomes.append(decided(trigger=replace(rule, id="x"), past=past).outcome)
    outcomes.append(decided(trigger=rule).outcome)

    assert outcomes == [
        "cancelled",
        "no_consent",
        "open_case",
        "recent_bad_score",
        "cooldown",
        "frequency_cap",
        "holdout",
    ]


def test_service_messages_pass_where_marketing_does_not() -> None:
    rule = a_trigger(kind="service")

    found = decided(withdrawn(), a_case(), an_answer(HOUR), trigger=rule)

    assert (found.outcome, found.arm) == ("sent", None)


def test_a_task_needs_no_channel_and_is_made_at_any_hour() -> None:
    rule = a_trigger(kind="task", channels=())

    found = decided(withdrawn(), trigger=rule)

    assert (found.outcome, found.effect, found.channel) == ("sent", "task", None)


@pytest.mark.parametrize(
    ("ago", "outcome"),
    [(timedelta(0), "frequency_cap"), (DAY - HOUR, "frequency_cap"), (DAY, "sent")],
)
def test_a_day_is_twenty_four_hours(ago: timedelta, outcome: str) -> None:
    assert decided(past=(earlier(ago),)).outcome == outcome


@pytest.mark.parametrize(("days", "outcome"), [(7, "sent"), (6, "frequency_cap")])
def test_three_a_week_are_enough(days: int, outcome: str) -> None:
    past = tuple(earlier(days * DAY - step * DAY) for step in range(3))

    assert decided(past=past).outcome == outcome


@pytest.mark.parametrize("kind", ["marketing", "service"])
@pytest.mark.parametrize(("times", "outcome"), [(1, "sent"), (2, "frequency_cap")])
def test_a_trigger_may_have_a_cap_of_its_own(kind: str, times: int, outcome: str) -> None:
    """Others do not count into it, whatever they sent."""
    trigger = a_trigger(kind=kind, caps=(Cap(2, 90 * DAY),))
    own = [earlier(days * DAY, trigger=trigger.id) for days in (20, 40)][:times]
    others = [earlier(days * DAY) for days in (30, 50, 60)]

    decision = decided(trigger=trigger, past=(*own, *others))

    assert decision.outcome == outcome


@pytest.mark.parametrize(
    ("ago", "outcome"), [(14 * DAY - HOUR, "recent_bad_score"), (14 * DAY, "sent")]
)
def test_a_bad_score_is_forgotten_after_two_weeks(ago: timedelta, outcome: str) -> None:
    assert decided(an_answer(ago)).outcome == outcome


def test_a_corrected_score_counts_in_place_of_the_first() -> None:
    better = wire.SurveyResponded(survey="v", kind="nps", score=9, revision=2)

    assert decided(an_answer(2 * HOUR), moment(better, NOON - HOUR)).outcome == "sent"


def test_held_out_people_count_as_if_they_had_been_told() -> None:
    assert decided(past=(earlier(HOUR, outcome="holdout"),)).outcome == "frequency_cap"


def test_what_was_only_decided_in_shadow_counts_for_nothing() -> None:
    assert decided(past=(earlier(HOUR, shadow=True),)).outcome == "sent"
    assert decided(shadow=True).effect is None


def test_what_was_stopped_does_not_count_into_caps() -> None:
    assert decided(past=(earlier(HOUR, outcome="open_case"),)).outcome == "sent"


@pytest.mark.parametrize(("hours", "outcome"), [(48, "sent"), (49, "too_late")])
def test_what_is_too_late_is_left_alone(hours: int, outcome: str) -> None:
    assert decided(decided_at=NOON + hours * HOUR).outcome == outcome


def test_no_budget_no_offer() -> None:
    assert decided(budget_left=0).outcome == "no_budget"
    assert decided(budget_left=1).outcome == "sent"


def test_nothing_is_ever_sent_to_somebody_erased() -> None:
    gone = moment(wire.CustomerErased(), NOON - HOUR)

    assert decided(gone).outcome == "erased"
    assert decided(gone, trigger=a_trigger(kind="task", channels=())).outcome == "erased"


def test_the_preferred_channel_comes_first_and_only_where_it_is_allowed() -> None:
    rule = a_trigger(channels=("email", "app"))
    reachable = a_customer(reaches=("email", "app"))
    wish = moment(wire.PreferenceChanged(preferred_channel="app"), NOON - HOUR)
    no = moment(wire.ConsentWithdrawn(purpose="marketing", channel="app"), NOON - HOUR / 2)

    def channel(*moments: Moment) -> str | None:
        customer = folded(ADA, [*reachable, *moments])
        return decide(rule, a_candidate(rule), customer, (), POLICIES, now=NOON).channel

    assert channel() == "email"
    assert channel(wish) == "app"
    assert channel(wish, no) == "email"


def test_a_suppressed_channel_is_no_channel() -> None:
    policies = replace(POLICIES, suppressed_channels=frozenset({"email"}))

    assert decided(policies=policies).outcome == "no_channel"


@pytest.mark.parametrize(("said", "spoken"), [("de-AT", "de"), ("fr", "en"), (None, "en")])
def test_one_is_spoken_to_in_ones_language_where_we_know_it(said: str | None, spoken: str) -> None:
    wish = moment(wire.PreferenceChanged(language=said), NOON - HOUR)

    assert decided(wish).language == spoken


def test_what_turns_out_to_be_no_candidate_is_no_decision() -> None:
    unless = compile_condition("now >= candidate.at", SCHEMA)

    found = decided(trigger=a_trigger(unless=unless))

    assert (found.outcome, found.is_told) == ("not_met", False)


def test_a_late_contact_changes_which_was_the_third() -> None:
    first, second, third = (
        moment(wire.TicketCreated(ticket=f"t{day}"), NOON + day * DAY, channel="email")
        for day in range(3)
    )
    fourth = moment(wire.TicketCreated(ticket="t4"), NOON + 4 * DAY, channel="email")
    came = [first, second, fourth]

    def anchors(moments: list[Moment]) -> list[str]:
        found = derived(shipped(), ADA, moments, POLICIES)
        return [one.anchor for one in found if one.trigger == "repeat_contact"]

    assert anchors(came) == ["t4"]
    assert anchors([*came, third]) == ["t2"]
    assert derived(shipped(), ADA, [*came, third], POLICIES, since=fourth.order) == [
        one for one in derived(shipped(), ADA, [*came, third], POLICIES) if one.key == fourth.key
    ]


def test_a_message_speaks_of_the_thing_that_it_is_about() -> None:
    placed = moment(wire.OrderPlaced(order="o1", amount=4_900, currency="EUR"), NOON - DAY)

    found = decided(placed)

    order = found.variables["order"]
    assert isinstance(order, dict)
    assert (order["id"], order["amount"], order["currency"]) == ("o1", 4_900, "EUR")
    assert "ticket" not in found.variables

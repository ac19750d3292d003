"""One candidate, one decision: the first gate that fails names it, and what set it is told."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from rapport_events import wire
from rapport_personalization.conditions import compile_condition
from rapport_personalization.domain.deciding import decide, examine, ids_of
from rapport_personalization.domain.decision import Decision, Outcome, Past
from rapport_personalization.domain.entries import entry_gates
from rapport_personalization.domain.fields import schema
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.holdout import bucket, decision_id, is_control
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.replay import derived, replay
from rapport_personalization.domain.trigger import Trigger

from tests.support.decisions import (
    ADA,
    BOB,
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

SCHEMA = schema([])


def decided(
    *moments: Moment,
    trigger: Trigger | None = None,
    past: tuple[Past, ...] = (),
    policies: Policies = POLICIES,
    decided_at: datetime | None = None,
    budget_left: int | None = None,
    shadow: bool = False,
) -> Decision:
    rule = trigger or a_trigger()
    customer = folded(ADA, [*a_customer(), *moments])
    return decide(
        rule,
        a_candidate(rule),
        customer,
        past,
        policies,
        now=NOON,
        decided_at=decided_at,
        budget_left=budget_left,
        shadow=shadow,
    )


def earlier(
    ago: timedelta,
    *,
    trigger: str = "other",
    outcome: Outcome = "sent",
    person: str = ADA,
    scope: str | None = None,
    shadow: bool = False,
) -> Past:
    return Past(
        trigger=trigger,
        person=person,
        anchor="a",
        send_at=NOON - ago,
        rank=1,
        kind="marketing",
        outcome=outcome,
        arm={"sent": "treated", "holdout": "control"}.get(outcome),  # type: ignore[arg-type]
        scope=scope or f"trigger:{trigger}",
        shadow=shadow,
    )


def a_case(ago: timedelta = HOUR) -> Moment:
    return moment(wire.TicketCreated(ticket="t1"), NOON - ago)


def an_answer(ago: timedelta, score: int = 1) -> Moment:
    return moment(wire.SurveyResponded(survey="v", kind="nps", score=score), NOON - ago)


def withdrawn() -> Moment:
    return moment(wire.ConsentWithdrawn(purpose="marketing"), NOON - HOUR)


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


def test_a_decision_names_the_events_that_made_it() -> None:
    case = a_case()

    found = decided(case)

    assert found.gate == "open_case"
    gate = found.gates[-1]
    assert (gate.value, gate.events) == ("1", (case.key,))
    assert any(fact.name == "open_case" and fact.events == (case.key,) for fact in found.facts)


def test_to_explain_every_gate_is_asked_also_behind_the_first_that_fails() -> None:
    rule = a_trigger()
    customer = folded(ADA, [*a_customer(), withdrawn(), a_case()])

    gates = examine(rule, a_candidate(rule), customer, (), POLICIES, now=NOON)

    failed = [gate.name for gate in gates if not gate.passed]
    assert failed == ["no_consent", "open_case"]
    assert gates[-1].name == "holdout"


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


def test_a_condition_that_asks_for_what_nobody_knows_does_not_cancel_and_says_so() -> None:
    cancel = compile_condition("customer.tier == 'gold'", SCHEMA)

    found = decided(trigger=a_trigger(cancel=cancel))

    assert found.outcome == "sent"
    assert next(gate for gate in found.gates if gate.name == "cancelled").missing == (
        "customer.tier",
    )


def test_what_turns_out_to_be_no_candidate_is_no_decision() -> None:
    unless = compile_condition("now >= candidate.at", SCHEMA)

    found = decided(trigger=a_trigger(unless=unless))

    assert (found.outcome, found.is_told) == ("not_met", False)


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


def test_why_there_was_nothing_to_decide_is_told_as_well() -> None:
    third = shipped()["repeat_contact"]
    case = moment(wire.TicketCreated(ticket="t1"), NOON, channel="email")

    nothing = entry_gates(third, ADA, a_customer(), POLICIES)
    once = entry_gates(third, ADA, [*a_customer(), case], POLICIES)

    assert [(gate.name, gate.passed) for gate in nothing] == [("event", False)]
    assert [gate.name for gate in once if not gate.passed] == ["when"]
    when = next(gate for gate in once if gate.name == "when")
    assert "customer.contacts_7d = 1" in (when.value or "")
    assert when.events == (case.key,)


def test_why_somebody_has_no_day_of_their_own_is_told_without_the_day() -> None:
    (birthday,) = entry_gates(shipped()["birthday"], ADA, a_customer(), POLICIES)
    (first,) = entry_gates(shipped()["anniversary"], ADA, a_customer(), POLICIES)

    assert (birthday.name, birthday.passed, birthday.value) == ("birthday", False, None)
    assert (first.name, first.passed) == ("first_order", False)


def test_why_a_score_started_nothing_is_told() -> None:
    rule = shipped()["high_churn_risk"]
    scores = [
        moment(wire.ScoreUpdated(score="churn_risk", value=value), NOON + hour * HOUR)
        for hour, value in enumerate((0.9, 0.95))
    ]

    gates = entry_gates(rule, ADA, scores, POLICIES)

    failed = {gate.name: gate for gate in gates if not gate.passed}
    assert failed["score"].value == "0.9 to 0.95, the line is 0.8"
    assert set(failed["when"].missing) == {"customer.clv", "policy.clv_top"}

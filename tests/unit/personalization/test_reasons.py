"""Why: what is told of a decision, and of why there was none."""

from rapport_events import wire
from rapport_personalization.conditions import compile_condition
from rapport_personalization.domain.deciding import examine
from rapport_personalization.domain.entries import entry_gates
from rapport_personalization.domain.fold import folded
from rapport_personalization.effects import gate_document
from rapport_personalization.schemas.decisions import GateView

from tests.support.deciding import SCHEMA, a_case, decided, withdrawn
from tests.support.decisions import (
    ADA,
    HOUR,
    NOON,
    POLICIES,
    a_candidate,
    a_customer,
    a_trigger,
    moment,
    shipped,
)


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


def test_a_condition_that_asks_for_what_nobody_knows_does_not_cancel_and_says_so() -> None:
    cancel = compile_condition("customer.tier == 'gold'", SCHEMA)

    found = decided(trigger=a_trigger(cancel=cancel))

    assert found.outcome == "sent"
    assert next(gate for gate in found.gates if gate.name == "cancelled").missing == (
        "customer.tier",
    )


def test_a_condition_that_cannot_be_worked_out_is_no_yes_and_says_why() -> None:
    cancel = compile_condition("1000 / customer.points > 3", SCHEMA)

    found = decided(trigger=a_trigger(cancel=cancel))

    gate = next(gate for gate in found.gates if gate.name == "cancelled")
    view = GateView.model_validate(gate_document(gate))
    assert (found.outcome, gate.passed, gate.missing) == ("sent", True, ())
    assert "divide by zero" in (gate.error or "")
    assert view.error == gate.error
    assert all(one.error is None for one in found.gates if one.name != "cancelled")


def test_gates_that_were_kept_before_errors_were_can_be_read() -> None:
    kept = gate_document(decided().gates[0])
    del kept["error"]

    assert GateView.model_validate(kept).error is None


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


def test_why_nothing_was_decided_about_one_thing_is_told_of_that_thing() -> None:
    rule = a_trigger(when=compile_condition("order.amount > 500", SCHEMA))
    orders = [
        moment(wire.OrderPlaced(order=name, amount=amount, currency="EUR"), NOON + hour * HOUR)
        for hour, (name, amount) in enumerate((("o-1", 100), ("o-2", 900)))
    ]

    first, second, neither = (
        entry_gates(rule, ADA, orders, POLICIES, anchor) for anchor in ("o-1", "o-2", "o-3")
    )

    assert first[0].events == (orders[0].key,)
    assert [gate.name for gate in first if not gate.passed] == ["when"]
    assert [gate.name for gate in second if not gate.passed] == []
    assert [(gate.name, gate.passed) for gate in neither] == [("event", False)]


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

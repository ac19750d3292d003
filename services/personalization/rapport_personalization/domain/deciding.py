"""The one function that decides: live, in hindsight, in a back-test and in simulated time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from rapport_personalization.domain import arms, holdout
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.decision import Decision, Effect, Fact, Gate, Outcome, Past
from rapport_personalization.domain.fields import ALWAYS
from rapport_personalization.domain.gates import GATES, Question, Way, chosen
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.scene import Candidate, Scene
from rapport_personalization.domain.trigger import Trigger

_GROUPS: Final = {
    "order": "orders",
    "cart": "carts",
    "ticket": "tickets",
    "session": "sessions",
    "subscription": "subscriptions",
    "promise": "promises",
    "payment": "payments",
}
"""Kinds of things that a message may speak of, and where they are kept."""

_FIELDS: Final = {
    group: tuple(name for name in ALWAYS if name.startswith(f"{group}."))
    for group in (*_GROUPS, "points")
}
_OF_PERSON: Final = ("customer.order_count", "customer.points")


def decide(
    trigger: Trigger,
    candidate: Candidate,
    customer: Customer,
    past: Iterable[Past],
    policies: Policies,
    *,
    now: datetime,
    decided_at: datetime | None = None,
    budget_left: int | None = None,
    shadow: bool = False,
    speaks: bool = True,
) -> Decision:
    """`customer`: folded over all moments up to `now`, which is the candidate's send_at.

    `past`: decisions about the person under any of their ids, before this one in (send_at, rank,
    person, anchor). `decided_at`: the clock; None in hindsight, where nothing comes too late.
    `speaks`: what is sent comes with what its template may say; a back-test needs no words.
    """
    asked = _question(trigger, candidate, customer, past, policies, now, decided_at, budget_left)
    gates: list[Gate] = []
    for ask in GATES:
        gate = ask(asked)
        gates.append(gate)
        if not gate.passed:
            return _decision(asked, gates, gate.name, shadow=shadow, speaks=speaks)
    return _decision(asked, gates, None, shadow=shadow, speaks=speaks)


def examine(
    trigger: Trigger,
    candidate: Candidate,
    customer: Customer,
    past: Iterable[Past],
    policies: Policies,
    *,
    now: datetime,
) -> list[Gate]:
    """Every gate with its value, also behind the first that fails: to explain, not to act."""
    asked = _question(trigger, candidate, customer, past, policies, now, None, None)
    found = [ask(asked) for ask in GATES]
    if trigger.is_marketing:
        found.append(_holdout_gate(_assigned(asked)))
    return found


def ids_of(
    trigger: str, anchor: str, members: Collection[str], policies: Policies
) -> Mapping[str, str]:
    """Decision id under each id of a person: one of them decided means decided."""
    return {
        member: holdout.decision_id(policies.tenant, trigger, member, anchor) for member in members
    }


def _question(
    trigger: Trigger,
    candidate: Candidate,
    customer: Customer,
    past: Iterable[Past],
    policies: Policies,
    now: datetime,
    decided_at: datetime | None,
    budget_left: int | None,
) -> Question:
    scene = Scene(customer, now, policies, candidate.thing, candidate=candidate)
    known = [one for one in past if not one.shadow and one.send_at <= now]
    return Question(trigger, candidate, scene, known, decided_at, budget_left)


def _assigned(asked: Question) -> arms.Assigned:
    candidate, policies = asked.candidate, asked.scene.policies
    return arms.assign(asked.trigger, candidate.person, asked.past, policies)


def _holdout_gate(assigned: arms.Assigned) -> Gate:
    return Gate("holdout", assigned.arm == "treated", f"{assigned.scope}: {assigned.arm}")


def _decision(
    asked: Question, gates: list[Gate], failed: str | None, *, shadow: bool, speaks: bool
) -> Decision:
    trigger, candidate = asked.trigger, asked.candidate
    assigned = None
    if failed is None and trigger.is_marketing:
        assigned = _assigned(asked)
        gate = _holdout_gate(assigned)
        gates.append(gate)
        failed = None if gate.passed else gate.name
    way = chosen(asked) if failed in (None, "holdout") else None
    outcome: Outcome = OUTCOMES[failed]
    policies = asked.scene.policies
    return Decision(
        id=holdout.decision_id(policies.tenant, trigger.id, candidate.person, candidate.anchor),
        trigger=trigger.id,
        version=trigger.version,
        policies=policies.version,
        person=candidate.person,
        anchor=candidate.anchor,
        due=candidate.due,
        send_at=asked.now,
        rank=trigger.rank,
        kind=trigger.kind,
        outcome=outcome,
        gate=failed,
        gates=tuple(gates),
        facts=_facts(gates, candidate),
        arm=None if assigned is None else assigned.arm,
        scope=None if assigned is None else assigned.scope,
        is_mixed=assigned is not None and assigned.is_mixed,
        channel=None if way is None else way.channel,
        effect=_effect(way) if outcome == "sent" and not shadow else None,
        template=trigger.template if outcome == "sent" else None,
        language=_language(asked.scene.customer, policies),
        variables=variables(asked.scene) if speaks and outcome == "sent" else {},
        goal=None if trigger.goal is None else trigger.goal.name,
        within=None if trigger.goal is None else trigger.goal.within,
        shadow=shadow,
    )


OUTCOMES: Final[Mapping[str | None, Outcome]] = {
    None: "sent",
    "holdout": "holdout",
    "not_met": "not_met",
    "too_late": "too_late",
    "erased": "erased",
    "suppressed": "suppressed",
    "cancelled": "cancelled",
    "no_consent": "no_consent",
    "no_channel": "no_channel",
    "open_case": "open_case",
    "recent_bad_score": "recent_bad_score",
    "cooldown": "cooldown",
    "frequency_cap": "frequency_cap",
    "no_budget": "no_budget",
}
"""The first gate that fails names the outcome."""


def _effect(way: Way | None) -> Effect:
    return "task" if way is None or way.by_agent else "action"


def _language(customer: Customer, policies: Policies) -> str:
    base = (customer.language or policies.language).split("-")[0].lower()
    return base if base in policies.languages else policies.language


def _facts(gates: Sequence[Gate], candidate: Candidate) -> tuple[Fact, ...]:
    """The event behind it, and every gate that had something to say."""
    began = (candidate.key,) if candidate.key is not None else ()
    return (
        Fact("candidate", candidate.at.isoformat(), began),
        *(Fact(gate.name, gate.value, gate.events) for gate in gates if gate.value is not None),
    )


def variables(scene: Scene) -> dict[str, object]:
    """What a template may say of the thing that it is about: `{{ order.eta }}`."""
    found: dict[str, object] = {}
    if scene.candidate is not None:
        found["anchor"] = scene.candidate.anchor
    for group, things in _GROUPS.items():
        if scene.thing in getattr(scene.customer, things):
            found[group] = {"id": scene.thing, **_known(_FIELDS[group], scene)}
    found["customer"] = _known(_OF_PERSON, scene)
    found["points"] = _known(_FIELDS["points"], scene)
    return found


def _known(names: Iterable[str], scene: Scene) -> dict[str, object]:
    found = {}
    for name in names:
        value = ALWAYS[name].read(scene).value
        if value is not None:
            text = value.isoformat() if isinstance(value, datetime) else value
            found[name.rpartition(".")[2]] = text
    return found

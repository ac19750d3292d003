"""What a decision lets the world know: that it was taken, and at most one thing to be done."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson
from rapport_events.topics import ENGAGEMENT
from rapport_privacy.crypto import DataKey, seal
from rapport_runtime.outbox import derived_id
from rapport_runtime.subscription import Derived

from rapport_personalization.domain.decision import Decision, Fact, Gate
from rapport_personalization.domain.scene import Candidate
from rapport_personalization.domain.trigger import Trigger

SOURCE: Final = "rapport/personalization"
_LONGEST: Final = 256
_MOST_EVENTS: Final = 100
_EXPIRES: Final = timedelta(days=2)
"""A message that could not be delivered for so long is pointless."""


class Given(NamedTuple):
    """An offer that goes with a message."""

    offer: str
    code: str
    kind: str
    value: int
    currency: str | None
    expires: datetime | None


def tell(
    decision: Decision,
    candidate: Candidate,
    trigger: Trigger,
    key: DataKey | None,
    given: Given | None,
) -> list[Derived]:
    """`decision.made` always; what is to be done, and the offer in it, if something is.

    `key`: the person's; what is said to them is sealed with it.
    """
    told = [_made(decision, candidate)]
    if decision.effect == "task":
        told.append(_task(decision, candidate, trigger, key))
    elif decision.effect == "action":
        told.append(_action(decision, candidate, key, given))
    if given is not None and decision.effect is not None:
        told.append(_offer(decision, given))
    return told


def cause_of(decision: Decision) -> bytes:
    """What all ids that follow from a decision come from: it is the same after every crash."""
    return bytes.fromhex(decision.id)[:16]


def short(decision: Decision) -> str:
    return decision.id[:32]


def _made(decision: Decision, candidate: Candidate) -> Derived:
    return _derived(
        decision,
        "decision.made.v1",
        {
            "decision": decision.id,
            "trigger": decision.trigger,
            "version": decision.version,
            "anchor": decision.anchor[:_LONGEST],
            "due": candidate.due,
            "outcome": decision.outcome,
            "gate": decision.gate,
            "facts": [_fact(fact) for fact in decision.facts],
            "goal": decision.goal,
            "kind": decision.kind,
            "send_at": decision.send_at,
            "shadow": decision.shadow or None,
            "arm": decision.arm,
            "channel": decision.channel,
        },
    )


def _fact(fact: Fact) -> dict[str, Any]:
    events = [key.hex() for key in fact.events[:_MOST_EVENTS]]
    value = fact.value[:_LONGEST] if fact.value else None
    found = {"fact": fact.name, "value": value, "events": events or None}
    return {name: one for name, one in found.items() if one is not None}


def _task(
    decision: Decision, candidate: Candidate, trigger: Trigger, key: DataKey | None
) -> Derived:
    return _derived(
        decision,
        "task.created.v1",
        {
            "task": f"t-{short(decision)}",
            "assignee": trigger.assignee,
            "ref": _about(candidate, trigger),
            "decision": decision.id,
        },
        {"title": trigger.description or trigger.template},
        key,
    )


def _action(
    decision: Decision, candidate: Candidate, key: DataKey | None, given: Given | None
) -> Derived:
    variables: dict[str, Any] = {**decision.variables, "anchor": candidate.anchor}
    if given is not None:
        variables["offer"] = given._asdict()
    return _derived(
        decision,
        "action.requested.v1",
        {
            "action": f"a-{short(decision)}",
            "decision": decision.id,
            "channel": decision.channel,
            "template": decision.template,
            "offer": None if given is None else given.offer,
            "purpose": "marketing" if decision.kind == "marketing" else "service",
            "language": decision.language,
            "expires": decision.send_at + _EXPIRES,
        },
        {"variables": variables},
        key,
    )


def _offer(decision: Decision, given: Given) -> Derived:
    return _derived(
        decision,
        "offer.issued.v1",
        {
            "offer": given.offer,
            "kind": given.kind,
            "code": given.code,
            "value": given.value,
            "currency": given.currency,
            "expires": given.expires,
        },
    )


def _about(candidate: Candidate, trigger: Trigger) -> str | None:
    kind = trigger.on.key
    if candidate.thing is None or kind is None or not kind.isalpha():
        return None
    return f"{kind}:{candidate.thing}"[:_LONGEST]


def _derived(
    decision: Decision,
    type_: str,
    data: Mapping[str, Any],
    personal: Mapping[str, Any] | None = None,
    key: DataKey | None = None,
) -> Derived:
    cause, rule = cause_of(decision), type_
    clear = {name: value for name, value in data.items() if value is not None}
    if personal is not None and key is not None:
        clear["pii"] = seal(
            key,
            subject=decision.person,
            event_id=str(derived_id(cause, rule)),
            type_=type_,
            plaintext=orjson.dumps(personal, default=str),
        )
    return Derived(
        cause=cause,
        rule=rule,
        topic=ENGAGEMENT.name,
        source=SOURCE,
        type=type_,
        time=decision.send_at,
        data=clear,
        subject=decision.person,
        attributes={"initiatedby": "rule", "correlationid": decision.id},
    )


def gate_document(gate: Gate) -> dict[str, Any]:
    """As the database keeps it."""
    return {
        "name": gate.name,
        "passed": gate.passed,
        "value": gate.value,
        "events": [key.hex() for key in gate.events],
        "missing": list(gate.missing),
        "error": gate.error,
    }

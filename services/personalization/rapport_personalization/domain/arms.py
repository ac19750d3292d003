"""Which arm of a test somebody is in: fixed at their first decision (kpis.md 6.4)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rapport_personalization.domain import holdout
from rapport_personalization.domain.decision import Arm, Past
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.trigger import Trigger


class Assigned(NamedTuple):
    """`scope` is what decided it; mixed: merged of people who were in different arms."""

    arm: Arm
    scope: str
    is_mixed: bool = False


def assign(trigger: Trigger, person: str, past: Sequence[Past], policies: Policies) -> Assigned:
    """`past` includes what was decided under every id that the person ever had."""
    armed = sorted((one for one in past if one.arm is not None), key=lambda one: one.order)
    here = [one for one in armed if one.trigger == trigger.id]
    mixed = _differs(here, armed)
    if trigger.global_holdout and _is_global(person, armed, policies):
        return Assigned("control", holdout.GLOBAL, mixed)
    scope = holdout.of_trigger(trigger.id)
    own = [one for one in here if one.scope != holdout.GLOBAL]
    if own and own[0].arm is not None:
        return Assigned(own[0].arm, scope, mixed)
    held = holdout.is_control(policies.tenant, scope, person, trigger.holdout)
    return Assigned("control" if held else "treated", scope, mixed)


def _is_global(person: str, armed: Sequence[Past], policies: Policies) -> bool:
    if armed:
        return armed[0].scope == holdout.GLOBAL
    return holdout.is_control(policies.tenant, holdout.GLOBAL, person, policies.global_holdout)


def _differs(here: Iterable[Past], armed: Iterable[Past]) -> bool:
    """One person's arm never changes; if it did, there were two people."""
    own = {one.arm for one in here}
    everywhere = {one.scope == holdout.GLOBAL for one in armed}
    return len(own) > 1 or len(everywhere) > 1

"""The questions asked before acting, in their order (kpis.md 6.2). Each is a pure function."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from rapport_personalization.domain import consents
from rapport_personalization.domain.decision import COUNTED, Gate, Past
from rapport_personalization.domain.fields import readings
from rapport_personalization.domain.scene import Candidate, Scene
from rapport_personalization.domain.trigger import Condition, Trigger

AGENT: Final = "agent"
SAME: Final = "same"
_FREE: Final = frozenset({"chat", "social", "web", "app"})
"""Where somebody wrote to us on one of these, they can be answered there."""
_BY_HAND: Final = frozenset({"phone", "store"})


class Question(NamedTuple):
    """All that the gates look at. `past`: earlier decisions about the person, none in shadow."""

    trigger: Trigger
    candidate: Candidate
    scene: Scene
    past: Sequence[Past]
    decided_at: datetime | None = None
    """By the clock on the wall; None: as if it had been in time."""
    budget_left: int | None = None

    @property
    def now(self) -> datetime:
        return self.scene.now


class Way(NamedTuple):
    """How somebody would be told."""

    channel: str
    by_agent: bool = False


_PASSED: Final = {
    name: Gate(name, passed=True)
    for name in (
        "too_late", "erased", "suppressed", "not_met", "cancelled", "no_consent", "no_channel",
        "recent_bad_score", "cooldown", "frequency_cap", "no_budget",
    )
}  # fmt: skip
"""Most gates have nothing to say."""


def too_late(asked: Question) -> Gate:
    if asked.decided_at is None:
        return _PASSED["too_late"]
    late = asked.decided_at - asked.now
    return Gate("too_late", late <= asked.scene.policies.too_late, str(late))


def erased(asked: Question) -> Gate:
    mark = asked.scene.customer.erased
    if mark is None:
        return _PASSED["erased"]
    return Gate("erased", passed=False, events=(mark.key,))


def suppressed(asked: Question) -> Gate:
    """Tasks are for agents, who see it and know why."""
    known = asked.scene.customer.suppressed
    if known is None or asked.trigger.kind == "task":
        return _PASSED["suppressed"]
    forbids = known.covers(asked.now, is_marketing=asked.trigger.is_marketing)
    told = known.scope if known.until is None else f"{known.scope} until {known.until.isoformat()}"
    return Gate("suppressed", not forbids, told, (known.said.key,))


def not_met(asked: Question) -> Gate:
    return _unless("not_met", asked.trigger.unless, asked)


def cancelled(asked: Question) -> Gate:
    return _unless("cancelled", asked.trigger.cancel, asked)


def no_consent(asked: Question) -> Gate:
    """Withdrawn consent binds service messages too; only marketing needs one that was given."""
    if asked.trigger.kind == "task":
        return _PASSED["no_consent"]
    purpose = "marketing" if asked.trigger.is_marketing else "service"
    known, told, keys = asked.scene.customer.consents, [], []
    # A yes to a channel on which they cannot be reached is no yes.
    ways = [way for way in wanted(asked) if _is_reachable(asked, way.channel)] or wanted(asked)
    for way in ways:
        said = consents.newest(known, way.channel, purpose)
        if said is not None:
            keys.append(said.said.key)
        granted = consents.allows(known, way.channel, purpose)
        told.append(f"{way.channel}: {'yes' if granted else 'no'}")
    passed = any(consents.allows(known, way.channel, purpose) for way in ways)
    # Who has no channel at all has not refused one.
    return Gate("no_consent", passed or not told, ", ".join(told) or None, tuple(keys))


def no_channel(asked: Question) -> Gate:
    if asked.trigger.kind == "task":
        return _PASSED["no_channel"]
    known = asked.scene.customer.reaches
    ways = [way.channel for way in wanted(asked) if _is_reachable(asked, way.channel)]
    if not ways:
        return Gate("no_channel", passed=False, value=", ".join(asked.trigger.channels))
    keys = tuple(known[channel].key for channel in ways if channel in known)
    return Gate("no_channel", passed=True, value=", ".join(ways), events=keys)


def open_case(asked: Question) -> Gate:
    tickets = asked.scene.customer.tickets
    found = [one.changed.key for one in tickets.values() if one.is_open and one.changed is not None]
    return Gate(
        "open_case", not found or not asked.trigger.is_marketing, str(len(found)), tuple(found)
    )


def recent_bad_score(asked: Question) -> Gate:
    bad = asked.scene.policies.bad_scores
    since = asked.now - bad.within
    found = [
        one
        for one in asked.scene.customer.answers.values()
        if one.score <= bad.highest.get(one.kind, -1) and since < one.given.at <= asked.now
    ]
    if not found:
        return _PASSED["recent_bad_score"]
    told = ", ".join(f"{one.kind} {one.score}" for one in found)
    keys = tuple(one.given.key for one in found)
    return Gate("recent_bad_score", not asked.trigger.is_marketing, told, keys)


def cooldown(asked: Question) -> Gate:
    trigger = asked.trigger
    last = max(
        (
            one.send_at
            for one in asked.past
            if one.trigger == trigger.id and one.outcome in COUNTED and one.send_at <= asked.now
        ),
        default=None,
    )
    if last is None:
        return _PASSED["cooldown"]
    is_over = trigger.cooldown is None or asked.now - last >= trigger.cooldown
    return Gate("cooldown", is_over and not trigger.once, last.isoformat())


def frequency_cap(asked: Question) -> Gate:
    """Of all marketing by the policies, and of this trigger by its own document."""
    trigger, told, passed = asked.trigger, [], True
    over_all = asked.scene.policies.caps if trigger.is_marketing else ()
    for cap, own in (*((cap, False) for cap in over_all), *((cap, True) for cap in trigger.caps)):
        count = sum(
            (one.trigger == trigger.id if own else one.kind == "marketing")
            and one.outcome in COUNTED
            and asked.now - cap.within < one.send_at <= asked.now
            for one in asked.past
        )
        told.append(f"{count} of its own in {cap.within}" if own else f"{count} in {cap.within}")
        passed = passed and count < cap.most
    return Gate("frequency_cap", passed, ", ".join(told)) if told else _PASSED["frequency_cap"]


def no_budget(asked: Question) -> Gate:
    left = asked.budget_left
    return _PASSED["no_budget"] if left is None else Gate("no_budget", left > 0, str(left))


def _unless(name: str, condition: Condition | None, asked: Question) -> Gate:
    return asked_of(name, condition, asked.scene, wanted=False)


def asked_of(name: str, condition: Condition | None, scene: Scene, *, wanted: bool) -> Gate:
    """A condition as a gate, which passes when it says what is wanted."""
    if condition is None:
        return _PASSED.get(name) or Gate(name, passed=True)
    known = readings(sorted(condition.names), scene)
    verdict = condition.holds({one: r.value for one, r in known.items() if r.value is not None})
    keys = dict.fromkeys(key for reading in known.values() for key in reading.keys)
    value = ", ".join(f"{one} = {_text(r.value)}" for one, r in known.items())
    return Gate(name, verdict.is_true == wanted, value or None, tuple(keys), *verdict[1:])


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def wanted(asked: Question) -> list[Way]:
    """Ways in the trigger's order; what the customer prefers comes first."""
    customer, found = asked.scene.customer, []
    for channel in asked.trigger.channels:
        if channel == AGENT:
            found.append(Way("phone", by_agent=True))
        elif channel != SAME:
            found.append(Way(channel))
        elif (same := _of_case(asked)) is not None:
            found.append(Way(same))
    allowed = [one for one in found if one.channel not in asked.scene.policies.suppressed_channels]
    return sorted(allowed, key=lambda one: one.channel != customer.preferred_channel)


def chosen(asked: Question) -> Way | None:
    """The first way that is allowed, and on which they can be reached."""
    customer = asked.scene.customer
    purpose = "marketing" if asked.trigger.is_marketing else "service"
    return next(
        (
            way
            for way in wanted(asked)
            if _is_reachable(asked, way.channel)
            and consents.allows(customer.consents, way.channel, purpose)
        ),
        None,
    )


def _is_reachable(asked: Question, channel: str) -> bool:
    if channel in asked.scene.customer.reaches:
        return True
    return channel in _FREE and channel == _of_case(asked)


def _of_case(asked: Question) -> str | None:
    """The channel of the case that it is about. Nobody is written to at a counter."""
    ticket = asked.scene.customer.tickets.get(asked.candidate.thing or "")
    channel = None if ticket is None else ticket.channel
    return None if channel in _BY_HAND else channel


GATES: Final[tuple[Callable[[Question], Gate], ...]] = (
    too_late,
    erased,
    suppressed,
    not_met,
    cancelled,
    no_consent,
    no_channel,
    open_case,
    recent_bad_score,
    cooldown,
    frequency_cap,
    no_budget,
)
"""All but the hold-out, which comes last and says which arm somebody is in."""

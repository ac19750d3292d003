"""Why a trigger has found nothing to consider about a person: to explain, not to act."""

from collections.abc import Sequence
from datetime import datetime

from rapport_personalization.domain.candidates import anchor_of, due, scene_of, starts
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.decision import Gate
from rapport_personalization.domain.fields import read
from rapport_personalization.domain.fold import fold, folded, in_order
from rapport_personalization.domain.gates import asked_of
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.scene import Scene
from rapport_personalization.domain.trigger import Calendar, Trigger


def entry_gates(
    trigger: Trigger,
    person: str,
    moments: Sequence[Moment],
    policies: Policies,
    anchor: str | None = None,
) -> list[Gate]:
    """What stood between the last event of its kind, of this anchor or thing, and a candidate."""
    if trigger.on.calendar is not None:
        return [_day(trigger.on.calendar, person, moments)]
    ordered = in_order(moments)
    last = _last(trigger, person, ordered, policies, anchor)
    if last is None:
        wanted = ", ".join(sorted(trigger.on.events))
        value = wanted if anchor is None else f"{wanted} of {anchor}"
        return [Gate("event", passed=False, value=value)]
    customer = folded(person, (one for one in ordered if one.order <= last.order))
    scene = scene_of(trigger, customer, last, policies)
    return [
        Gate("event", passed=True, value=last.type, events=(last.key,)),
        Gate("historical", passed=not last.historical, events=(last.key,)),
        *_score(trigger, scene),
        asked_of("when", trigger.when, scene, wanted=True),
        _delay(trigger, scene, last),
    ]


def day_known_since(
    trigger: Trigger, customer: Customer, moments: Sequence[Moment]
) -> datetime | None:
    """When a day of the person's own was told first; None where none is known.

    `customer`: folded over all of them. Of days that were over by then nothing is made.
    """
    calendar = trigger.on.calendar
    if calendar is None:
        return None
    if calendar.kind == "birthday":
        told = [one for one in moments if one.personal.birthday is not None]
    else:
        first = customer.bought[0].key if customer.bought else None
        told = [one for one in moments if one.key == first]
    return min((one.recorded if one.historical else one.at for one in told), default=None)


def _last(
    trigger: Trigger,
    person: str,
    ordered: Sequence[Moment],
    policies: Policies,
    anchor: str | None,
) -> Moment | None:
    if anchor is None:
        return next((one for one in reversed(ordered) if one.type in trigger.on.events), None)
    customer, found = Customer(person), None
    for one in ordered:
        fold(customer, one)
        if one.type in trigger.on.events:
            scene = scene_of(trigger, customer, one, policies)
            found = one if anchor in (anchor_of(trigger, scene, one), scene.thing) else found
    return found


def _score(trigger: Trigger, scene: Scene) -> list[Gate]:
    score = trigger.on.score
    if score is None:
        return []
    known = scene.customer.predictions.get(score.name)
    value = None if known is None else f"{known.before} to {known.value}, the line is {score.above}"
    keys = () if known is None else (known.told.key,)
    return [Gate("score", starts(trigger, scene, whatever=True), value, keys)]


def _delay(trigger: Trigger, scene: Scene, last: Moment) -> Gate:
    delay = trigger.delay
    found = due(delay, scene, last.at)
    if found is not None or delay.until is None:
        return Gate("delay", found is not None, None if found is None else found.isoformat())
    reading = read(delay.until, scene)
    told = f"{delay.until} = {reading.value}"
    if reading.value is None:
        told = f"{delay.until} is unknown"
    elif delay.at_least is not None:
        told = f"{told}, at least {delay.at_least} are waited for"
    return Gate("delay", passed=False, value=told, events=reading.keys)


def _day(calendar: Calendar, person: str, moments: Sequence[Moment]) -> Gate:
    """Nobody's birthday is told here: only whether there is one."""
    customer = folded(person, moments)
    if calendar.kind == "birthday":
        return Gate("birthday", customer.birthday is not None)
    bought = customer.bought
    keys = (bought[0].key,) if bought else ()
    return Gate("first_order", bool(bought), bought[0].at.isoformat() if bought else None, keys)

"""What a back-test makes of a person: by what was known at each step."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from rapport_events import wire
from rapport_personalization.domain.candidates import catalogue
from rapport_personalization.domain.decision import Outcome, Past
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.hindsight import relive
from rapport_personalization.domain.living import (
    Arrival,
    Living,
    Regrouping,
    apart,
    steps,
)
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.plan import Force, Logged, Plan, Relived
from rapport_personalization.domain.policies import Cap, Policies
from rapport_personalization.domain.replay import replay
from rapport_personalization.domain.tally import Tally
from rapport_personalization.domain.trigger import Delay, Trigger

from tests.support.decisions import (
    ADA,
    BOB,
    DAY,
    END,
    HOUR,
    NOON,
    POLICIES,
    a_customer,
    a_life,
    a_trigger,
    moment,
    shipped,
)

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def plan(trigger: Trigger, policies: Policies = POLICIES, **more: object) -> Plan:
    """A test of two hundred days."""
    plain = Plan(trigger=trigger, start=NOON - DAY, end=END, policies=[(LONG_AGO, policies)])
    return replace(plain, **more)  # type: ignore[arg-type]  # what a test says of a plan


def told(
    asked: Plan,
    moments: Sequence[Moment],
    logged: Sequence[Logged] = (),
    regroupings: Iterable[Regrouping] = (),
) -> list[Relived]:
    """Moments in the order of their arrival."""
    arrivals = [Arrival(10 * n, one) for n, one in enumerate(moments, 1)]
    subjects = sorted({one.subject for one in moments})
    return list(relive(asked, apart(subjects), steps(arrivals, regroupings), logged))


def outcomes(found: Iterable[Relived]) -> list[str]:
    return [one.decision.outcome for one in found]


def sent(
    trigger: str, at: datetime, *, version: str = "1", outcome: Outcome = "sent", seq: int = 0
) -> Logged:
    past = Past(trigger, ADA, f"{trigger}-{at}", at, 5, "marketing", outcome)
    return Logged(past, version, "1", at, seq)


def ordered(at: datetime, name: str = "o1", **more: object) -> Moment:
    return moment(wire.OrderPlaced(order=name, amount=900, currency="EUR"), at, **more)  # type: ignore[arg-type]  # of the builder


@pytest.mark.parametrize("seed", range(12))
def test_whoever_told_everything_at_once_is_decided_on_as_in_simulated_time(seed: int) -> None:
    rng = Random(seed)
    life = [replace_told(one) for one in sorted(a_life(rng, 60), key=lambda one: (one.at, one.key))]

    differing = []
    for trigger in shipped().triggers:
        ours = {
            (one.decision.anchor, one.decision.outcome, one.decision.send_at, one.decision.channel)
            for one in told(plan(trigger), life)
        }
        known = catalogue([trigger])
        theirs = {
            (one.anchor, one.outcome, one.send_at, one.channel)
            for one in replay(known, ADA, life, POLICIES, END)
        }
        differing += [(trigger.id, one) for one in ours ^ theirs]

    assert differing == []


def replace_told(one: Moment) -> Moment:
    """Told at once."""
    return Moment(
        one.at, one.at, one.key, one.type, one.subject, one.data, one.channel, one.historical,
        one.personal,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_whoever_is_looked_at_now_and_then_is_who_they_are_by_all_that_is_known(seed: int) -> None:
    rng = Random(seed)
    life = sorted(a_life(rng, 200), key=lambda one: one.recorded)
    person = Living(ADA, (ADA,))

    known = []
    for number, one in enumerate(life):
        person.take(one)
        known.append(one)
        instant = rng.choice(known).at
        if number % 7 == 0:
            before = [one for one in known if one.at <= instant]
            assert person.at(instant) == folded(ADA, before)
        if number % 5 == 0:
            assert person.now() == folded(ADA, known)


def test_what_was_told_after_its_time_had_come_was_not_known() -> None:
    refund = wire.OrderRefunded(order="o1", refund="r", amount=900, currency="EUR")
    trigger = next(one for one in shipped().triggers if one.id == "thanks")
    at, late = NOON + HOUR / 2, NOON + 3 * HOUR
    known = [*a_customer(), ordered(NOON)]

    in_time = told(plan(trigger), [*known, moment(refund, at)])
    too_late = told(plan(trigger), [*known, moment(refund, at, recorded=late)])

    assert (outcomes(in_time), outcomes(too_late)) == (["cancelled"], ["sent"])


def test_a_withdrawal_counts_from_when_it_was_told() -> None:
    no = wire.ConsentWithdrawn(purpose="marketing")
    trigger = a_trigger(delay=Delay(wait=2 * HOUR))
    known = [*a_customer(), ordered(NOON)]

    before = told(plan(trigger), [*known, moment(no, NOON + HOUR)])
    after = told(plan(trigger), [*known, moment(no, NOON + HOUR, recorded=NOON + 3 * HOUR)])

    assert (outcomes(before), outcomes(after)) == (["no_consent"], ["sent"])


def test_what_other_triggers_sent_counts_for_the_caps_and_its_own_is_judged_anew() -> None:
    at = NOON - HOUR
    life = [*a_customer(), ordered(NOON)]

    capped = told(plan(a_trigger()), life, [sent("other", at)])
    anew = told(plan(a_trigger()), life, [sent("thanks", at)])
    held = told(plan(a_trigger()), life, [sent("other", at, outcome="no_consent")])

    assert (outcomes(capped), outcomes(anew)) == (["frequency_cap"], ["sent"])
    assert outcomes(held) == ["sent"]


def test_what_was_in_force_goes_by_what_was_decided_before_and_by_other_versions() -> None:
    force = Force(NOON - 5 * DAY, NOON - 5 * DAY, shadow=False)
    asked = plan(a_trigger(cooldown=2 * DAY), force=force)
    life = [*a_customer(), ordered(NOON)]

    earlier = told(asked, life, [sent("thanks", NOON - 30 * HOUR)])
    other = told(asked, life, [sent("thanks", NOON - HOUR, version="2")])

    assert (outcomes(earlier), outcomes(other)) == (["cooldown"], ["cooldown"])


@pytest.mark.parametrize(("began", "since"), [(HOUR, -DAY), (-DAY, HOUR)])
def test_what_arrived_before_it_was_in_force_starts_nothing(
    began: timedelta, since: timedelta
) -> None:
    force = Force(NOON + began, NOON + since, shadow=False)

    found = told(plan(a_trigger(), force=force), [*a_customer(), ordered(NOON)])

    assert found == []


def test_in_shadow_nothing_counts_for_its_cooldown() -> None:
    force = Force(NOON - DAY, NOON - DAY, shadow=True)
    life = [*a_customer(), ordered(NOON), ordered(NOON + 9 * DAY, "o2")]

    found = told(plan(a_trigger(once=True), force=force), life)

    assert outcomes(found) == ["sent", "sent"]
    assert [one.decision.effect for one in found] == [None, None]


def test_caps_are_those_that_held_at_the_time() -> None:
    strict = Policies(version="2", global_holdout=0, caps=(Cap(0, DAY),))
    both = [(LONG_AGO, POLICIES), (NOON + DAY, strict)]
    life = [*a_customer(), ordered(NOON), ordered(NOON + 9 * DAY, "o2")]

    found = told(replace(plan(a_trigger()), policies=both), life)

    assert outcomes(found) == ["sent", "frequency_cap"]


def test_people_are_one_from_when_they_were_merged_until_they_are_parted() -> None:
    known = [*a_customer(), *a_customer(subject=BOB)]
    life = [
        *known,
        ordered(NOON, "a1"),
        ordered(NOON + HOUR, "b1", subject=BOB),
        ordered(NOON + 9 * DAY, "a2"),
        ordered(NOON + 9 * DAY + HOUR, "b2", subject=BOB),
        ordered(NOON + 19 * DAY, "a3"),
        ordered(NOON + 19 * DAY + HOUR, "b3", subject=BOB),
    ]
    one = Regrouping(65, NOON + DAY, {ADA: ADA, BOB: ADA})
    two = Regrouping(85, NOON + 10 * DAY, {ADA: ADA, BOB: BOB})

    found = told(plan(a_trigger(cooldown=2 * HOUR)), life, regroupings=[one, two])

    assert [(o.decision.anchor, o.decision.person, o.decision.outcome) for o in found] == [
        ("a1", ADA, "sent"),
        ("b1", BOB, "sent"),
        ("a2", ADA, "sent"),
        ("b2", ADA, "cooldown"),
        ("a3", ADA, "sent"),
        ("b3", BOB, "sent"),
    ]


def test_what_else_was_sent_to_the_same_person_is_counted_once_a_trigger() -> None:
    near = [sent("other", NOON - HOUR), sent("other", NOON + 2 * HOUR)]
    beside = [*near, sent("third", NOON - 20 * HOUR), sent("far", NOON - 25 * HOUR)]
    service = a_trigger(kind="service")

    found = told(plan(service), [*a_customer(), ordered(NOON)], beside)
    tally = Tally()
    shown = tally.add(found)
    document = tally.document()

    assert shown == [True]
    assert document["overlap"] == [
        {"trigger": "other", "within_24h": 1, "same_day": 1},
        {"trigger": "third", "within_24h": 1, "same_day": 0},
    ]
    assert (document["overlapping"], document["contacted"]) == (1, 1)
    assert document["peak"] == {"hour": NOON.isoformat(), "sent": 1}

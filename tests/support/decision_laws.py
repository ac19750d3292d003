"""What must hold of every decision, told a second time and in another way than the engine does."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from rapport_events import wire
from rapport_personalization.domain import fold, quiet
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.decision import Decision
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import QuietHours
from rapport_personalization.domain.replay import replay

from tests.support.decisions import ADA, END, HALF, ZONES, a_life, delivered, shipped

Law = Callable[[int, int], None]
_COUNTED: Final = ("sent", "holdout")
_EVERYWHERE: Final = (*sorted(available_timezones()), *ZONES)


def decided(life: Sequence[Moment]) -> list[Decision]:
    return list(replay(shipped(), ADA, life, HALF, END))


def order_and_repeats_change_no_decision(seed: int, size: int) -> None:
    rng = Random(seed)
    life = a_life(rng, size)

    assert decided(delivered(life, rng)) == decided(life)


def folding_on_is_folding_anew(seed: int, size: int) -> None:
    """As a worker does: on where it can, from the beginning where something came late."""
    rng = Random(seed)
    life = a_life(rng, size)
    customer, arrived = Customer(ADA), list[Moment]()
    for moment in delivered(life, rng):
        if moment in arrived:
            continue
        arrived.append(moment)
        if fold.is_late(customer, moment):
            customer = fold.folded(ADA, arrived)
        else:
            fold.fold(customer, moment)

    assert customer == fold.folded(ADA, life)
    assert customer.copy() == customer


def nothing_is_decided_twice(seed: int, size: int) -> None:
    ids = [one.id for one in decided(a_life(Random(seed), size))]

    assert len(ids) == len(set(ids))


def caps_hold_at_every_instant(seed: int, size: int) -> None:
    told = [
        one.send_at
        for one in decided(a_life(Random(seed), size))
        if one.kind == "marketing" and one.outcome in _COUNTED
    ]

    for first, second in pairwise(told):
        assert second - first >= timedelta(days=1)
    for first, fourth in zip(told, told[3:], strict=False):
        assert fourth - first >= timedelta(days=7)


def cooldowns_hold(seed: int, size: int) -> None:
    last: dict[str, datetime] = {}
    for one in decided(a_life(Random(seed), size)):
        trigger = shipped()[one.trigger]
        if one.outcome not in _COUNTED:
            continue
        if one.trigger in last:
            assert not trigger.once
            assert one.send_at - last[one.trigger] >= (trigger.cooldown or timedelta(0))
        last[one.trigger] = one.send_at


def nobody_is_advertised_to_during_a_case(seed: int, size: int) -> None:
    life = fold.in_order(a_life(Random(seed), size))
    for one in _advertised(life):
        open_: dict[str, bool] = {}
        for moment in _until(life, one.send_at):
            data = moment.data
            if isinstance(data, wire.TicketCreated):
                open_.setdefault(data.ticket, True)
            elif isinstance(data, wire.TicketResolved | wire.TicketReopened) and (
                data.ticket in open_
            ):
                open_[data.ticket] = isinstance(data, wire.TicketReopened)
        assert not any(open_.values())


def nobody_is_advertised_to_without_consent(seed: int, size: int) -> None:
    life = fold.in_order(a_life(Random(seed), size))
    for one in _advertised(life):
        agreed = False
        for moment in _until(life, one.send_at):
            match moment.data:
                case wire.CustomerCreated(email_consent=bool(said)):
                    agreed = said
                case wire.ConsentGranted():
                    agreed = True
                case wire.ConsentWithdrawn():
                    agreed = False
                case _:
                    pass
        assert agreed


def nobody_is_advertised_to_after_a_bad_score(seed: int, size: int) -> None:
    life = fold.in_order(a_life(Random(seed), size))
    for one in _advertised(life):
        counted: dict[str, tuple[datetime, bool]] = {}
        for moment in _until(life, one.send_at):
            data = moment.data
            if isinstance(data, wire.SurveyResponded) and data.score is not None:
                is_bad = data.score <= {"nps": 6, "csat": 2}[data.kind]
                counted[data.survey] = (moment.at, is_bad)
        assert not any(
            is_bad and one.send_at - at < timedelta(days=14) for at, is_bad in counted.values()
        )


def nobody_is_woken(seed: int, size: int) -> None:
    life = fold.in_order(a_life(Random(seed), size))
    for one in decided(life):
        if one.kind == "task":
            continue
        tz, asleep = _rhythm(_until(life, one.send_at))
        local = one.send_at.astimezone(tz).time().replace(second=0, microsecond=0)
        start, end = (time.fromisoformat(part) for part in asleep.split("-"))
        awake = end <= local < start if end < start else not start <= local < end
        assert awake, f"{one.send_at} in {tz} is in {asleep}"


def what_is_heard_of_too_late_is_left_alone(seed: int, size: int) -> None:
    life = fold.in_order(a_life(Random(seed), size))
    recorded = {moment.key: moment.recorded for moment in life}
    for one in decided(life):
        keys = one.facts[0].events
        late = max((recorded[key] for key in keys), default=one.send_at) - one.send_at
        if late > timedelta(hours=48) and one.trigger not in ("birthday", "anniversary"):
            assert one.outcome == "too_late"
        else:
            assert one.outcome != "too_late"


def history_starts_nothing(seed: int, size: int) -> None:
    life = a_life(Random(seed), size, is_history=True)

    assert {one.trigger for one in decided(life)} <= {"birthday", "anniversary"}


def an_arm_is_for_ever(seed: int, size: int) -> None:
    arms: dict[str, set[object]] = defaultdict(set)
    for one in decided(a_life(Random(seed), size)):
        if one.arm is not None:
            arms[one.trigger].add((one.arm, one.scope))
            assert not one.is_mixed
            assert (one.arm == "control") == (one.outcome == "holdout")

    assert all(len(seen) == 1 for seen in arms.values())


def purchases_are_what_is_left_of_orders(seed: int, size: int) -> None:
    life = fold.in_order(a_life(Random(seed), size))
    placed: dict[str, tuple[datetime, int]] = {}
    refunds: dict[str, dict[str, int]] = defaultdict(dict)
    cancelled = set()
    for moment in life:
        match moment.data:
            case wire.OrderPlaced(order=str(order), amount=int(amount)):
                placed.setdefault(order, (moment.at, amount))
            case wire.OrderRefunded(order=order, refund=str(refund), amount=int(amount)):
                refunds[order].setdefault(refund, amount)
            case wire.OrderCancelled(order=order):
                cancelled.add(order)
            case _:
                pass
    left = sorted(
        at
        for order, (at, amount) in placed.items()
        if order not in cancelled and amount > sum(refunds[order].values())
    )

    assert [mark.at for mark in fold.folded(ADA, life).bought] == left


def a_zone_and_an_hour_are_found_again(seed: int, size: int) -> None:
    """Quiet hours end when the person's own clock says so, also in the nights that it jumps."""
    rng = Random(seed)
    for _ in range(size):
        tz = quiet.zone(rng.choice(_EVERYWHERE), "UTC")
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(525_600))
        hours = QuietHours(time(rng.randrange(24), rng.choice((0, 30))), time(rng.randrange(24)))
        found = quiet.next_allowed(at, tz, hours)
        assert at <= found <= at + timedelta(hours=25)
        assert quiet.next_allowed(found, tz, hours) == found
        if found > at:
            # It is the first such minute: the one before was quiet, or was no end at all.
            minute = found - timedelta(minutes=1)
            assert quiet.next_allowed(minute, tz, hours) > minute or minute < at


def _advertised(life: Sequence[Moment]) -> list[Decision]:
    return [one for one in decided(life) if one.kind == "marketing" and one.outcome in _COUNTED]


def _until(life: Sequence[Moment], at: datetime) -> Sequence[Moment]:
    return life[: bisect_right(life, at, key=lambda moment: moment.at)]


def _rhythm(life: Sequence[Moment]) -> tuple[ZoneInfo, str]:
    name, asleep = "UTC", "21:00-08:00"
    for moment in life:
        if isinstance(moment.data, wire.CustomerCreated | wire.PreferenceChanged):
            name = moment.data.tz or name
        if isinstance(moment.data, wire.PreferenceChanged):
            asleep = moment.data.quiet_hours or asleep
    return ZoneInfo("UTC" if name == "No/Where" else name), asleep


LAWS: Final[Mapping[str, Law]] = {
    law.__name__: law
    for law in (
        order_and_repeats_change_no_decision,
        folding_on_is_folding_anew,
        nothing_is_decided_twice,
        caps_hold_at_every_instant,
        cooldowns_hold,
        nobody_is_advertised_to_during_a_case,
        nobody_is_advertised_to_without_consent,
        nobody_is_advertised_to_after_a_bad_score,
        nobody_is_woken,
        what_is_heard_of_too_late_is_left_alone,
        history_starts_nothing,
        an_arm_is_for_ever,
        purchases_are_what_is_left_of_orders,
        a_zone_and_an_hour_are_found_again,
    )
}

"""Mistakes that people make when they decide by rules, planted so that a law must see them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rapport_events import wire
from rapport_personalization.domain import (
    arms,
    candidates,
    consents,
    fold,
    gates,
    orders,
    quiet,
    tickets,
)
from rapport_personalization.domain import replay as replaying
from rapport_personalization.domain.candidates import Catalogue
from rapport_personalization.domain.consents import Consent
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.decision import Gate, Past
from rapport_personalization.domain.moment import Mark, Moment
from rapport_personalization.domain.orders import Order
from rapport_personalization.domain.policies import Policies, QuietHours
from rapport_personalization.domain.scene import Candidate
from rapport_personalization.domain.trigger import Trigger

TurnEvent = wire.TicketResolved | wire.TicketReopened


def _swap(plant: pytest.MonkeyPatch, ask: Callable[..., Gate], by: Callable[..., Gate]) -> None:
    """One gate for another."""
    found = tuple(by if one is ask else one for one in gates.GATES)
    plant.setattr("rapport_personalization.domain.deciding.GATES", found)


def _take_moments_as_they_come(plant: pytest.MonkeyPatch) -> None:
    def careless(moments: Iterable[Moment]) -> list[Moment]:
        return list({one.key: one for one in moments}.values())

    plant.setattr(replaying, "in_order", careless)


def _take_repeats_for_news(plant: pytest.MonkeyPatch) -> None:
    def careless(moments: Iterable[Moment]) -> list[Moment]:
        return sorted(moments, key=lambda one: one.order)

    plant.setattr(replaying, "in_order", careless)
    plant.setattr(fold, "in_order", careless)


def _add_late_moments_at_the_end(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(fold, "is_late", lambda *_: False)


def _forget_what_was_decided(plant: pytest.MonkeyPatch) -> None:
    wait = replaying._wait

    def careless(run: replaying._Run, new: Candidate, told: datetime) -> None:
        run.decided.clear()
        wait(run, new, told)

    plant.setattr(replaying, "_wait", careless)


def _leave_the_held_out_out_of_the_caps(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(gates, "COUNTED", frozenset({"sent"}))


def _allow_one_more_than_the_cap(plant: pytest.MonkeyPatch) -> None:
    def careless(asked: gates.Question) -> Gate:
        caps = tuple(one._replace(most=one.most + 1) for one in asked.scene.policies.caps)
        policies = replace(asked.scene.policies, caps=caps)
        scene = asked.scene._replace(policies=policies)
        return gates.frequency_cap(asked._replace(scene=scene))

    _swap(plant, gates.frequency_cap, careless)


def _measure_the_cooldown_by_days(plant: pytest.MonkeyPatch) -> None:
    def careless(asked: gates.Question) -> Gate:
        day = asked.now.replace(hour=23, minute=59)
        return gates.cooldown(asked._replace(scene=asked.scene._replace(now=day)))

    _swap(plant, gates.cooldown, careless)


def _take_silence_for_consent(plant: pytest.MonkeyPatch) -> None:
    def careless(known: dict[str, Consent], channel: str, purpose: str) -> bool:
        said = consents.newest(known, channel, purpose)
        return said is None or said.granted

    plant.setattr(consents, "allows", careless)


def _let_a_channel_overrule_every_channel(plant: pytest.MonkeyPatch) -> None:
    def careless(known: dict[str, Consent], channel: str, purpose: str) -> Consent | None:
        return known.get(f"{channel}|{purpose}") or known.get(f"*|{purpose}")

    plant.setattr(consents, "newest", careless)


def _overlook_reopened_cases(plant: pytest.MonkeyPatch) -> None:
    turn = tickets._turn

    def careless(ticket: tickets.Ticket, data: TurnEvent, mark: Mark) -> None:
        if ticket.first_resolved is None:
            turn(ticket, data, mark)

    plant.setattr(tickets, "_turn", careless)


def _let_cases_be_advertised_to(plant: pytest.MonkeyPatch) -> None:
    _swap(plant, gates.open_case, lambda _: Gate("open_case", passed=True))


def _look_at_the_last_answer_only(plant: pytest.MonkeyPatch) -> None:
    def careless(asked: gates.Question) -> Gate:
        answers = asked.scene.customer.answers
        last = max(answers.values(), key=lambda one: one.given, default=None)
        highest = asked.scene.policies.bad_scores.highest
        bad = last is not None and last.score <= highest[last.kind]
        return Gate("recent_bad_score", not bad or not asked.trigger.is_marketing)

    _swap(plant, gates.recent_bad_score, careless)


def _sleep_by_the_servers_clock(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(candidates, "zone", lambda *_: ZoneInfo("UTC"))


def _end_the_night_at_midnight(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(
        quiet, "_is_quiet", lambda clock, hours: hours.start <= clock < max(hours.start, hours.end)
    )


def _add_hours_to_the_wall_clock(plant: pytest.MonkeyPatch) -> None:
    """As if no night were longer or shorter than the others."""

    def careless(at: datetime, where: ZoneInfo, hours: QuietHours) -> datetime:
        local = at.astimezone(where)
        clock = local.time().replace(second=0, microsecond=0)
        if not quiet._is_quiet(clock, hours):
            return at
        wait = timedelta(
            hours=hours.end.hour - clock.hour, minutes=hours.end.minute - clock.minute
        ) % timedelta(days=1)
        return at + wait

    plant.setattr(quiet, "next_allowed", careless)


def _decide_by_where_they_lived(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(replaying, "hold", lambda _trigger, _customer, at, _policies: at)


def _act_however_late(plant: pytest.MonkeyPatch) -> None:
    _swap(plant, gates.too_late, lambda _: Gate("too_late", passed=True))


def _let_history_act(plant: pytest.MonkeyPatch) -> None:
    all_candidates = candidates.all_candidates

    def careless(
        known: Catalogue, customer: Customer, moment: Moment, policies: Policies
    ) -> list[Candidate]:
        told = msgspec.structs.replace(moment, historical=False)
        return all_candidates(known, customer, told, policies)

    plant.setattr(replaying, "all_candidates", careless)


def _draw_the_arm_by_lot(plant: pytest.MonkeyPatch) -> None:
    """Each decision anew, which leaves nobody in one arm."""

    def careless(
        trigger: Trigger, _person: str, past: Sequence[Past], _policies: Policies
    ) -> arms.Assigned:
        held = (len(past) + len(trigger.id)) % 2 == 0
        return arms.Assigned("control" if held else "treated", f"trigger:{trigger.id}")

    plant.setattr(arms, "assign", careless)


def _count_a_refund_twice(plant: pytest.MonkeyPatch) -> None:
    take = orders.take

    def careless(
        known: dict[str, Order], name: str, data: orders.OrderEvent, moment: Moment
    ) -> Order:
        order = take(known, name, data, moment)
        if order.refunds:
            order.refunds[moment.key.hex()] = 60
        return order

    plant.setattr(orders, "take", careless)


def _keep_cancelled_purchases(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(
        Order, "is_standing", property(lambda one: one.placed is not None and one.net > 0)
    )


BUGS: Final[Mapping[str, tuple[Callable[[pytest.MonkeyPatch], None], str]]] = {
    bug.__name__.strip("_"): (bug, law)
    for bug, law in (
        (_take_moments_as_they_come, "order_and_repeats_change_no_decision"),
        (_take_repeats_for_news, "order_and_repeats_change_no_decision"),
        (_add_late_moments_at_the_end, "folding_on_is_folding_anew"),
        (_forget_what_was_decided, "nothing_is_decided_twice"),
        (_leave_the_held_out_out_of_the_caps, "caps_hold_at_every_instant"),
        (_allow_one_more_than_the_cap, "caps_hold_at_every_instant"),
        (_measure_the_cooldown_by_days, "cooldowns_hold"),
        (_take_silence_for_consent, "nobody_is_advertised_to_without_consent"),
        (_let_a_channel_overrule_every_channel, "nobody_is_advertised_to_without_consent"),
        (_overlook_reopened_cases, "nobody_is_advertised_to_during_a_case"),
        (_let_cases_be_advertised_to, "nobody_is_advertised_to_during_a_case"),
        (_look_at_the_last_answer_only, "nobody_is_advertised_to_after_a_bad_score"),
        (_sleep_by_the_servers_clock, "nobody_is_woken"),
        (_end_the_night_at_midnight, "nobody_is_woken"),
        (_add_hours_to_the_wall_clock, "a_zone_and_an_hour_are_found_again"),
        (_decide_by_where_they_lived, "nobody_is_woken"),
        (_act_however_late, "what_is_heard_of_too_late_is_left_alone"),
        (_let_history_act, "history_starts_nothing"),
        (_draw_the_arm_by_lot, "an_arm_is_for_ever"),
        (_count_a_refund_twice, "purchases_are_what_is_left_of_orders"),
        (_keep_cancelled_purchases, "purchases_are_what_is_left_of_orders"),
    )
}
"""Each with the law that must see it."""

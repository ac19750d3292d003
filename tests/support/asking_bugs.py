"""Mistakes in deciding whom to ask, planted so that the properties must see them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

import pytest
from rapport_feedback.domain import asking, quiet, respondent
from rapport_feedback.domain.asking import Case, Outcome, Person, Policy
from rapport_feedback.domain.cases import Ticket
from rapport_feedback.domain.quiet import Quiet
from rapport_feedback.domain.respondent import Respondent, Word


def _let_the_last_arrival_win(plant: pytest.MonkeyPatch) -> None:
    def careless(state: Respondent, name: str, word: Word) -> None:
        state.words[name] = word

    plant.setattr(respondent, "_say", careless)


def _take_the_greater_count_of_two_subjects(plant: pytest.MonkeyPatch) -> None:
    join = respondent.join

    def careless(states: Iterable[Respondent]) -> Respondent:
        known = list(states)
        joined = join(known)
        for feature in joined.uses:
            joined.uses[feature] = max(state.uses.get(feature, 0) for state in known)
        return joined

    plant.setattr(respondent, "join", careless)


def _trust_the_clock_of_who_opens_a_case(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(Ticket, "is_open", property(lambda one: one.is_known or one.reopened is not None))


def _forget_who_was_asked_a_moment_ago(plant: pytest.MonkeyPatch) -> None:
    decide = asking.decide

    def careless(case: Case, person: Person, policy: Policy, now: datetime) -> Outcome:
        return decide(case, replace(person, sent=list(person.sent)), policy, now)

    plant.setattr(asking, "decide", careless)


def _ask_on_the_last_day_of_the_throttle(plant: pytest.MonkeyPatch) -> None:
    throttled = asking.is_throttled

    def careless(case: Case, person: Person, policy: Policy, now: datetime) -> bool:
        return throttled(case, person, policy, now + timedelta(days=1))

    plant.setattr(asking, "is_throttled", careless)


def _sleep_until_the_same_hour_in_our_zone(plant: pytest.MonkeyPatch) -> None:
    def careless(at: datetime, zone: tzinfo, hours: Quiet) -> datetime:
        local = at.astimezone(zone)
        if not hours.covers(local.time()):
            return at
        day = local.date() if local.time() < hours.end else local.date() + timedelta(days=1)
        offset = local.utcoffset() or timedelta(0)
        # The offset of the evening, although the clocks may be put forward at night.
        return datetime.combine(day, hours.end, tzinfo=at.tzinfo) - offset

    plant.setattr(quiet, "next_allowed", careless)


def _hear_only_the_channels_own_word(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(
        Respondent, "consent", lambda state, purpose, channel: state.word(f"{purpose}:{channel}")
    )


def _sample_anew_each_time(plant: pytest.MonkeyPatch) -> None:
    drawn = iter(range(10**9))
    plant.setattr(asking, "is_sampled", lambda _, share: next(drawn) % 2 < 2 * share)


BUGS: Final[Mapping[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "last_arrival": _let_the_last_arrival_win,
    "greater_count": _take_the_greater_count_of_two_subjects,
    "clock_of_a_case": _trust_the_clock_of_who_opens_a_case,
    "forgetful": _forget_who_was_asked_a_moment_ago,
    "a_day_early": _ask_on_the_last_day_of_the_throttle,
    "evening_offset": _sleep_until_the_same_hour_in_our_zone,
    "own_word_only": _hear_only_the_channels_own_word,
    "sampled_anew": _sample_anew_each_time,
}

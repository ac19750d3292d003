"""Whom to ask: whatever the order, the names and the clocks, the same answer, and the right one."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapport_events.codec import decode_data
from rapport_feedback.domain import asking, quiet, respondent
from rapport_feedback.domain.asking import Invited, NotInvited, Person
from rapport_feedback.domain.quiet import Quiet

from tests.support.asking_bugs import BUGS
from tests.support.asking_laws import (
    CHECKS,
    POLICY,
    a_case,
    somebody,
)
from tests.support.events import NOON, happened, new_subject

SEEDS: Final = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("name", CHECKS)
def test_whoever_is_asked_is_asked_by_these_rules(name: str) -> None:
    @settings(max_examples=200, deadline=None)
    @given(SEEDS)
    @example(0)
    def hold(seed: int) -> None:
        CHECKS[name](Random(seed))

    hold()


@pytest.mark.parametrize("bug", BUGS)
def test_the_rules_see_every_mistake(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)

    assert any(_is_broken(check, seed) for seed in range(300) for check in CHECKS.values())


def _is_broken(check: Callable[[Random], None], seed: int) -> bool:
    try:
        check(Random(seed))
    except AssertionError:
        return True
    return False


def test_half_of_a_town_is_drawn_for_half() -> None:
    rng = Random(7)
    drawn = [asking.is_sampled(a_case(rng).candidate.survey, 0.5) for _ in range(2_000)]

    assert 900 < sum(drawn) < 1_100
    assert not asking.is_sampled("anybody", 0.0)
    assert asking.is_sampled("anybody", 1.0)


@pytest.mark.parametrize(
    ("at", "zone", "until"),
    [
        # The night in which 02:00 becomes 03:00; nine hours of sleep are eight.
        ("2026-03-28T22:00:00+00:00", "Europe/Berlin", "2026-03-29T06:00:00+00:00"),
        ("2026-10-24T21:00:00+00:00", "Europe/Berlin", "2026-10-25T07:00:00+00:00"),
        ("2026-03-01T12:00:00+00:00", "Europe/Berlin", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T20:00:00+00:00", "Europe/Berlin", "2026-03-02T07:00:00+00:00"),
        ("2026-03-02T06:59:59+00:00", "Europe/Berlin", "2026-03-02T07:00:00+00:00"),
        ("2026-03-02T07:00:00+00:00", "Europe/Berlin", "2026-03-02T07:00:00+00:00"),
    ],
)
def test_a_night_ends_at_eight_by_the_clock_on_the_wall(at: str, zone: str, until: str) -> None:
    found = quiet.next_allowed(datetime.fromisoformat(at), ZoneInfo(zone), Quiet(time(21), time(8)))

    assert found == datetime.fromisoformat(until)


def test_a_wall_time_that_is_skipped_comes_later_and_one_that_comes_twice_once() -> None:
    skipped, twice = Quiet(time(1), time(2, 30)), Quiet(time(1), time(2, 30))
    berlin = ZoneInfo("Europe/Berlin")

    spring = quiet.next_allowed(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), berlin, skipped)
    autumn = quiet.next_allowed(datetime(2026, 10, 25, 0, 10, tzinfo=UTC), berlin, twice)
    again = quiet.next_allowed(datetime(2026, 10, 25, 1, 10, tzinfo=UTC), berlin, twice)

    assert spring == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert autumn == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert again == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_channel_that_somebody_prefers_comes_first() -> None:
    person = somebody()
    person.respondent.kinds.add("phone")
    word = happened("preference.changed", new_subject(), preferred_channel="sms")
    respondent.hear(person.respondent, word.envelope, word.key, decode_data(word.envelope))

    outcome = asking.decide(a_case(Random(1)), person, POLICY, NOON)

    assert isinstance(outcome, Invited)
    assert outcome.channel == "sms"


@pytest.mark.parametrize(
    ("changes", "person", "reason"),
    [
        ({}, somebody(erased=True, has_open_case=True), "erased"),
        ({}, somebody(has_open_case=True), "open_case"),
        ({"consent": "marketing"}, somebody(), "no_consent"),
        ({"channels": ["sms"]}, somebody(), "no_channel"),
        ({"rules": [{"id": "a", "on": "ticket.resolved", "sample": 0}]}, somebody(), "not_sampled"),
    ],
)
def test_the_first_gate_that_is_shut_gives_the_reason(
    changes: dict[str, Any], person: Person, reason: str
) -> None:
    outcome = asking.decide(a_case(Random(1), **changes), person, POLICY, NOON)

    assert outcome == NotInvited(reason)  # type: ignore[arg-type] # one of them

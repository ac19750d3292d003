"""Nobody waits longer for their turn because the worker rests meanwhile."""

from rapport_personalization.pulse import AFTER_NEWS, MOST, Pulse

NOW = 1_000.0


def resting(seconds: float | None) -> Pulse:
    pulse = Pulse()
    pulse.rest(NOW, seconds)
    return pulse


def test_a_worker_that_starts_looks_at_once() -> None:
    assert Pulse().is_time(NOW)


def test_whoever_is_due_soon_is_looked_for_when_they_are_due() -> None:
    pulse = resting(0.3)

    assert not pulse.is_time(NOW + 0.29)
    assert pulse.is_time(NOW + 0.3)


def test_nobody_is_looked_for_while_nobody_waits() -> None:
    assert not resting(None).is_time(NOW + MOST / 2)


def test_whom_another_process_has_left_behind_is_found_in_time() -> None:
    assert resting(3_600.0).is_time(NOW + MOST)
    assert resting(None).is_time(NOW + MOST)


def test_what_has_just_happened_is_not_slept_through() -> None:
    pulse = resting(None)

    pulse.stir(NOW + 0.1)

    assert pulse.is_time(NOW + 0.1)
    pulse.rest(NOW + 0.1, None)
    assert pulse.is_time(NOW + 0.15)
    pulse.rest(NOW + 0.1 + AFTER_NEWS, None)
    assert not pulse.is_time(NOW + 0.1 + AFTER_NEWS)


def test_who_could_not_be_decided_about_is_tried_again_at_once() -> None:
    assert resting(-5.0).is_time(NOW)

"""How much to take at once, and how long to wait after a failure."""

from rapport_runtime.subscription.pace import Pace


def test_each_failure_in_a_row_halves_the_batch_and_lengthens_the_wait() -> None:
    pace = Pace(10_000)

    waits = [pace.failed() for _ in range(12)]

    assert pace.most == 100
    assert 0.025 <= waits[0] <= 0.05
    assert 2.5 <= waits[-1] <= 5.0


def test_success_brings_the_batch_back_step_by_step() -> None:
    pace = Pace(1_000)
    for _ in range(5):
        pace.failed()

    sizes = []
    for _ in range(5):
        pace.applied(0.1)
        sizes.append(pace.most)

    assert sizes == [200, 400, 800, 1_000, 1_000]
    assert pace.failed() <= 0.05


def test_a_batch_that_took_long_is_followed_by_a_smaller_one() -> None:
    pace = Pace(1_000)

    pace.applied(6.0)

    assert pace.most == 500


def test_a_small_batch_stays_as_it_was_set() -> None:
    pace = Pace(40)

    pace.failed()

    assert pace.most == 40

"""The keyring forgets in time, and never holds more than it may."""

from rapport_privacy.cache import Bounds, Cache


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def remembering(clock: Clock, limit: int = 10) -> Cache[str, int]:
    return Cache(Bounds(seconds=60, limit=limit, clock=clock))


def test_a_thing_is_forgotten_a_minute_after_it_was_looked_up_however_often_used() -> None:
    clock = Clock()
    cache = remembering(clock)
    cache.remember({"ada": 1}, cache.stamp())

    for second in range(60):
        clock.seconds = float(second)
        assert cache.recall({"ada"}) == {"ada": 1}
    clock.seconds = 60.0

    assert cache.recall({"ada"}) == {}
    assert len(cache) == 0


def test_the_minute_begins_when_the_look_began() -> None:
    clock = Clock()
    cache = remembering(clock)

    stamp = cache.stamp()
    clock.seconds = 59.0
    cache.remember({"ada": 1}, stamp)
    clock.seconds = 60.0

    assert cache.recall({"ada"}) == {}


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache = remembering(Clock(), limit=2)
    cache.remember({"ada": 1}, cache.stamp())
    cache.remember({"bob": 2}, cache.stamp())
    cache.recall({"ada"})

    cache.remember({"cleo": 3}, cache.stamp())

    assert cache.recall({"ada", "bob", "cleo"}) == {"ada": 1, "cleo": 3}


def test_more_than_fits_leaves_the_last() -> None:
    cache = remembering(Clock(), limit=2)

    cache.remember({"ada": 1, "bob": 2, "cleo": 3}, cache.stamp())

    assert cache.recall({"ada", "bob", "cleo"}) == {"bob": 2, "cleo": 3}


def test_a_look_that_began_before_everything_was_forgotten_brings_nothing_back() -> None:
    cache = remembering(Clock())

    stamp = cache.stamp()
    cache.forget()
    cache.remember({"ada": 1}, stamp)

    assert cache.recall({"ada"}) == {}

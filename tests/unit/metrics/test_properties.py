"""Whatever the order, the repeats, the batches and the workers: the same integers."""

from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapport_events import wire
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.outcome import PersonRow, bucket
from rapport_metrics.domain.own import DEFAULTS, Options
from rapport_metrics.domain.service import DEFAULT_TARGETS, ServiceSettings
from rapport_metrics.domain.told import By

from tests.support.kpi_bugs import BUGS
from tests.support.kpi_memory import Memory
from tests.support.kpi_reference import METRICS, facts_of, purchases_of
from tests.support.kpi_worlds import PEOPLE, START, a_world, by_partition, delivered

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 40)
OTHERWISE = Options(
    purge_erased=True,
    service=ServiceSettings(targets=DEFAULT_TARGETS, pause_while_pending=True),
    unsolvable_topics=frozenset({"billing"}),
)

Picture = tuple[object, ...]


def picture(memory: Memory) -> Picture:
    """All that is counted; who is nobody in particular has no row, or one that says nothing."""
    people = {
        name: row for name, row in memory.people.items() if row != PersonRow(name, None, None)
    }
    return memory.cells, memory.purchases, people, memory.activity, memory.contracts


def at_once(world: list[Happening], options: Options = DEFAULTS) -> Memory:
    return Memory(options).take_all(world, batch=len(world))


def as_it_comes(seed: int, size: int, options: Options = DEFAULTS) -> tuple[Picture, Picture]:
    rng = Random(seed)
    world, came = a_world(rng, size), Memory(options)
    for batch in delivered(world, rng):
        came.take(batch)
    return picture(came), picture(at_once(world, options))


@settings(max_examples=1_500, deadline=None)
@given(SEEDS, SIZES)
@example(11221, 14)  # a survey that turns out to have been sent to nobody
def test_order_repeats_and_batches_change_no_number(seed: int, size: int) -> None:
    came, at_once = as_it_comes(seed, size)

    assert came == at_once


@settings(max_examples=300, deadline=None)
@given(SEEDS, SIZES)
def test_nor_do_they_by_other_settings(seed: int, size: int) -> None:
    came, at_once = as_it_comes(seed, size, OTHERWISE)

    assert came == at_once


def taken_back(seed: int, size: int) -> tuple[Picture, Picture]:
    """A world with a merge that is taken back, both at any place, and the world without it."""
    rng = Random(seed)
    world, merged = a_world(rng, size), Memory()
    merge = Happening(By(START, b"mm", None, PEOPLE[0]), wire.CustomerMerged(from_subject="bob"))
    unmerge = Happening(
        By(START, b"uu", None, PEOPLE[0]), wire.CustomerUnmerged(merge_event_id=b"mm".hex())
    )
    for batch in delivered([*world, merge, unmerge], rng):
        merged.take(batch)
    return picture(merged), picture(at_once(world))


@settings(max_examples=300, deadline=None)
@given(SEEDS, SIZES)
def test_a_merge_that_is_taken_back_never_was(seed: int, size: int) -> None:
    merged, never = taken_back(seed, size)

    assert merged == never


@settings(max_examples=500, deadline=None)
@given(SEEDS, SIZES, st.sampled_from([1, 2, 4, 8]))
def test_any_number_of_workers_adds_up_to_the_same(seed: int, size: int, workers: int) -> None:
    rng = Random(seed)
    world, shared = a_world(rng, size), Memory()

    for batch in by_partition(world, rng, workers):
        shared.take(batch)

    assert picture(shared) == picture(at_once(world))


Totals = Mapping[tuple[str, int], tuple[int, int]]


def counted(seed: int, size: int) -> tuple[Totals, Totals]:
    """What the engine says, event by event, and what plain definitions say of all of them."""
    rng = Random(seed)
    world, engine = a_world(rng, size), Memory()
    for batch in delivered(world, rng):
        engine.take(batch)
    wanted: dict[tuple[str, int], tuple[int, int]] = {}
    for metric, at, num, den in facts_of(world):
        place = (metric, bucket(metric, at))
        known = wanted.get(place, (0, 0))
        wanted[place] = (known[0] + num, known[1] + den)
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for cell, (num, den) in engine.cells.items():
        if cell.metric in METRICS:
            known = found.get((cell.metric, cell.bucket), (0, 0))
            found[cell.metric, cell.bucket] = (known[0] + num, known[1] + den)
    return _something(found), _something(wanted)


def _something(totals: Totals) -> Totals:
    return {place: total for place, total in totals.items() if any(total)}


@settings(max_examples=1_500, deadline=None)
@given(SEEDS, SIZES)
def test_totals_are_what_plain_definitions_say(seed: int, size: int) -> None:
    found, wanted = counted(seed, size)

    assert found == wanted


@settings(max_examples=200, deadline=None)
@given(SEEDS, SIZES)
def test_purchases_are_what_plain_definitions_say(seed: int, size: int) -> None:
    world = a_world(Random(seed), size)

    assert at_once(world).purchases_by_person() == purchases_of(world)


@pytest.mark.parametrize("bug", sorted(BUGS))
def test_a_planted_mistake_is_seen(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)

    assert any(
        one != other
        for seed in range(200)
        for compare in (as_it_comes, taken_back, counted)
        for one, other in [compare(seed, 60)]
    )

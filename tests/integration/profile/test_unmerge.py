"""A merge that is taken back is as good as one that never was."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.identity_bugs import BUGS
from tests.support.identity_memory import Memory, Picture, naive_picture
from tests.support.identity_scripts import Script, a_script

SEEDS = st.integers(0, 2**32 - 1)


def pictures(script: Script) -> tuple[Picture, Picture]:
    """After merges that were all taken back, and without them."""
    merged, never = Memory(), Memory()
    for batch in script.merged:
        merged.tell(batch)
    for batch in script.never:
        never.tell(batch)
    return merged.picture(), never.picture()


@settings(max_examples=2_000, deadline=None)
@given(SEEDS)
def test_whoever_was_merged_and_unmerged_was_never_merged(seed: int) -> None:
    merged, never = pictures(a_script(random.Random(seed)))

    assert merged == never


@pytest.mark.parametrize("bug", sorted(BUGS))
def test_a_planted_mistake_is_seen(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = [a_script(random.Random(seed)) for seed in range(100)]
    BUGS[bug](monkeypatch)

    assert any(merged != never for merged, never in map(pictures, scripts))


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_the_order_of_arrival_and_the_batches_change_nobody(seed: int) -> None:
    script = a_script(random.Random(seed))
    projected = Memory()

    for batch in script.merged:
        projected.tell(batch)

    assert projected.picture() == naive_picture([r for batch in script.merged for r in batch])

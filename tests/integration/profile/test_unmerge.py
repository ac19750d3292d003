"""A merge that is taken back is as good as one that never was."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.identity_memory import Memory, naive_picture
from tests.support.identity_scripts import a_script

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=2_000, deadline=None)
@given(SEEDS)
def test_whoever_was_merged_and_unmerged_was_never_merged(seed: int) -> None:
    script = a_script(random.Random(seed))
    once, never = Memory(), Memory()

    for batch in script.merged:
        once.tell(batch)
    for batch in script.never:
        never.tell(batch)

    assert once.picture() == never.picture()


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_the_order_of_arrival_and_the_batches_change_nobody(seed: int) -> None:
    chance = random.Random(seed)
    script = a_script(chance)
    projected = Memory()

    for batch in script.merged:
        projected.tell(batch)

    assert projected.picture() == naive_picture([r for batch in script.merged for r in batch])

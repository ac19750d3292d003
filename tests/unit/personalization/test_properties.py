"""Whatever happens, in whatever order we hear of it: the laws of deciding hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.decision_bugs import BUGS
from tests.support.decision_laws import LAWS

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 25)
ENOUGH = 600
"""Lives in which a planted mistake must show."""


@pytest.mark.parametrize("law", LAWS)
def test_a_law_holds_in_every_life(law: str) -> None:
    @settings(max_examples=150, deadline=None)
    @given(SEEDS, SIZES)
    def holds(seed: int, size: int) -> None:
        LAWS[law](seed, size)

    holds()


@pytest.mark.parametrize("bug", BUGS)
def test_its_law_sees_a_planted_mistake(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, law = BUGS[bug]
    plant(monkeypatch)

    assert any(_is_broken(law, seed) for seed in range(ENOUGH))


def _is_broken(law: str, seed: int) -> bool:
    try:
        LAWS[law](seed, 5 + seed % 40)
    except AssertionError:
        return True
    return False

"""Failpoints do nothing unless armed."""

import os
from collections.abc import Iterator

import pytest
from rapport_runtime.failpoint import arm, failpoint


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Signals that the process would have got."""
    signals: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _, number: signals.append(number))
    yield signals
    arm("")


def test_an_armed_failpoint_kills_and_others_do_not(killed: list[int]) -> None:
    arm("before_apply:1, after_apply:0")

    failpoint("after_apply")
    failpoint("somewhere_else")
    before = list(killed)
    failpoint("before_apply")

    assert (before, killed) == ([], [9])


def test_nothing_is_armed_by_an_empty_setting(killed: list[int]) -> None:
    arm("before_apply:1")
    arm("")

    failpoint("before_apply")

    assert killed == []


def test_a_setting_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="often"):
        arm("before_apply:often")


def test_a_named_signal_is_sent_instead(killed: list[int]) -> None:
    arm("before_begin:1:STOP")

    failpoint("before_begin")

    assert killed == [19]


def test_a_signal_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no signal 'NAP'"):
        arm("before_begin:1:NAP")

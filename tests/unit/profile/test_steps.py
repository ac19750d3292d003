"""What agents wrote and promised, folded in whatever order it is heard of."""

from itertools import permutations

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile.domain.fold import fold
from rapport_profile.domain.state import Profile, pack, unpack

from tests.support.events import NOON, days, happened, new_subject

ADA = new_subject()


def given(*records: Record) -> Profile:
    ordered = sorted(records, key=lambda record: record.order)
    return fold(Profile(), [(record, decode_data(record.envelope)) for record in ordered])


def test_a_note_keeps_every_version_with_who_and_when() -> None:
    added = happened("note.added", ADA, note="n", agent="eve", pinned=True)
    edited = happened("note.edited", ADA, NOON + days(1), note="n", agent="ben")
    note = given(added, edited).notes["n"]

    assert [(step.agent, step.by.time) for step in note.versions] == [
        ("eve", NOON), ("ben", NOON + days(1)),
    ]  # fmt: skip
    assert (note.agent, note.pinned) == ("eve", True)


def test_an_edit_whose_note_is_not_known_yet_does_not_vanish() -> None:
    edited = happened("note.edited", ADA, note="n", agent="ben", pinned=True)

    early = given(edited).notes["n"]
    whole = given(edited, happened("note.added", ADA, NOON + days(1), note="n", agent="eve"))

    assert early.pinned
    assert [step.agent for step in whole.notes["n"].versions] == ["eve", "ben"]
    assert whole.notes["n"].pinned


def test_a_note_removed_before_it_was_told_of_stays_removed() -> None:
    note = given(
        happened("note.removed", ADA, note="n", agent="ben"),
        happened("note.added", ADA, NOON + days(1), note="n", pinned=True),
    ).notes["n"]

    assert note.end is not None
    assert note.end.agent == "ben"


@pytest.mark.parametrize(("verb", "state"), [("kept", "kept"), ("broken", "broken")])
def test_a_promise_settled_before_it_was_told_of_is_settled(verb: str, state: str) -> None:
    profile = given(
        happened(f"commitment.{verb}", ADA, commitment="c"),
        happened("commitment.made", ADA, NOON + days(1), commitment="c", due=NOON + days(2)),
    )

    assert profile.commitments["c"].state == state


def test_a_promise_is_late_from_when_it_is_due_until_for_ever() -> None:
    made = happened("commitment.made", ADA, commitment="c", due=NOON + days(1))
    open_ = given(made).commitments["c"]
    kept = given(made, happened("commitment.kept", ADA, NOON + days(2), commitment="c"))

    assert not open_.is_late(NOON)
    assert open_.is_late(NOON + days(1.1))
    assert kept.commitments["c"].is_late(NOON)


def test_a_promise_that_is_given_anew_has_the_new_day() -> None:
    profile = given(
        happened("commitment.made", ADA, commitment="c", due=NOON + days(1)),
        happened("commitment.made", ADA, NOON + days(1), commitment="c", due=NOON + days(3)),
    )

    assert profile.commitments["c"].due == NOON + days(3)


def test_a_task_tells_whose_it_was_and_how_it_ended() -> None:
    task = given(
        happened("task.created", ADA, task="t", assignee="eve", due=NOON + days(3)),
        happened("task.assigned", ADA, NOON + days(1), task="t", assignee="ben"),
        happened("task.completed", ADA, NOON + days(2), task="t"),
    ).tasks["t"]

    assert [(step.name, step.agent) for step in task.steps] == [
        ("created", "eve"), ("assigned", "ben"), ("completed", None),
    ]  # fmt: skip
    assert (task.state, task.assignee, task.due) == ("completed", "ben", NOON + days(3))


@pytest.mark.parametrize("type_", ["note.added", "task.created", "commitment.made"])
def test_what_an_agent_writes_down_is_no_contact_with_the_customer(type_: str) -> None:
    named = {"note": "x", "task": "x", "commitment": "x"}
    noun = type_.partition(".")[0]

    profile = given(happened(type_, ADA, channel="phone", fields={noun: named[noun]}))

    assert profile.touches == {}


_WORK = (
    happened("note.added", ADA, note="n", agent="eve", pinned=False),
    happened("note.edited", ADA, note="n", agent="ben", pinned=True),
    happened("task.created", ADA, task="t", assignee="eve", due=NOON),
    happened("task.assigned", ADA, task="t", assignee="ben"),
    happened("task.cancelled", ADA, task="t"),
    happened("commitment.made", ADA, commitment="c", due=NOON, agent="eve"),
    happened("commitment.kept", ADA, commitment="c", agent="ben"),
)


def test_what_happened_at_one_instant_comes_out_the_same_however_ties_fall() -> None:
    """Of one moment the fold order is chance: it follows random keys."""
    notes, tasks, promises = set(), set(), set()
    for order in permutations(_WORK):
        folded = fold(Profile(), [(one, decode_data(one.envelope)) for one in order])
        note, task, made = folded.notes["n"], folded.tasks["t"], folded.commitments["c"]
        notes.add((note.pinned, note.agent))
        tasks.add((task.state, task.due, task.by))
        promises.add((made.state, made.due, made.agent))

    assert notes == {(True, "eve")}
    assert promises == {("kept", NOON, "eve")}
    assert [(state, due) for state, due, _ in tasks] == [("cancelled", NOON)]


@for_any(st.permutations(_WORK), st.integers(0, 7))
def test_work_is_the_same_however_it_arrives_and_wherever_it_was_packed(
    arrivals: list[Record], cut: int
) -> None:
    ordered = sorted(arrivals, key=lambda record: record.order)
    facts = [(record, decode_data(record.envelope)) for record in ordered]

    once = fold(Profile(), facts)
    again = fold(unpack(pack(fold(Profile(), facts[:cut]))), facts[cut:])

    assert pack(once) == pack(again)

"""Notes, tasks and promises with everything that was done to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from rapport_profile.domain.steps import Commitment, Note, Step, Task
from rapport_profile.mask import Mask
from rapport_profile.reader import Opened
from rapport_profile.schemas.work import (
    ChangeView,
    CommitmentHistoryView,
    NoteHistoryView,
    RemovalView,
    TaskHistoryView,
    VersionView,
)
from rapport_profile.views import work
from rapport_profile.views.facts import source

STEPS_SHOWN: Final = 100


def worded(thing: Note | Task | Commitment) -> set[str]:
    """Keys of the events whose words are shown: of a note each version's, of a removed one none."""
    keys = set(work.worded(thing))
    if isinstance(thing, Note) and thing.end is None:
        keys.update(step.by.event for step in thing.versions[-STEPS_SHOWN:])
    return keys


def note(name: str, note: Note, opened: Mapping[str, Opened], mask: Mask) -> NoteHistoryView:
    end = note.end
    return NoteHistoryView(
        **dict(work.note(name, note, opened, mask)),
        removed=None if end is None else RemovalView(agent=end.agent, **source(end.by)),
        versions=[
            _version(step, opened.get(step.by.event), mask)
            for step in _shown(note.versions, "notes[].versions", mask)
        ],
    )


def task(
    name: str, task: Task, opened: Mapping[str, Opened], mask: Mask, now: datetime
) -> TaskHistoryView:
    return TaskHistoryView(
        **dict(work.task(name, task, opened, mask, now)),
        changes=_changes(task.steps, "tasks[].changes", mask),
    )


def commitment(
    name: str, commitment: Commitment, opened: Mapping[str, Opened], mask: Mask, now: datetime
) -> CommitmentHistoryView:
    return CommitmentHistoryView(
        **dict(work.commitment(name, commitment, opened, mask, now)),
        changes=_changes(commitment.steps, "commitments[].changes", mask),
    )


def _version(step: Step, event: Opened | None, mask: Mask) -> VersionView:
    body = None if event is None else event.personal_value("body")
    named = None if event is None else event.personal_value("mentions")
    return VersionView(
        agent=step.agent,
        pinned=step.pinned,
        body=mask.text("notes[].versions[].body", body),
        mentions=work.mentions(named, mask, "notes[].versions[].mentions"),
        **source(step.by),
    )


def _changes(steps: Sequence[Step], place: str, mask: Mask) -> list[ChangeView]:
    return [
        ChangeView.model_validate(
            {"change": step.name, "agent": step.agent, "due": step.due, **source(step.by)}
        )
        for step in _shown(steps, place, mask)
    ]


def _shown(steps: Sequence[Step], place: str, mask: Mask) -> Sequence[Step]:
    if len(steps) > STEPS_SHOWN:
        mask.partial.add(place)
    return steps[-STEPS_SHOWN:]

"""What agents noted, have to do and promised; their words are in the events."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rapport_profile.domain.source import Source
from rapport_profile.domain.state import Profile
from rapport_profile.domain.steps import Commitment, Note, Step, Task
from rapport_profile.mask import Mask
from rapport_profile.reader import Opened
from rapport_profile.schemas.base import Text
from rapport_profile.schemas.work import CommitmentView, NoteView, TaskView
from rapport_profile.views.facts import source

SHOWN: Final = 50
_REWORDED: Final = 20
"""Newest steps of a thing that are searched for its words: a step need not repeat them."""

_LAST: Final = datetime.max.replace(tzinfo=UTC)


def pinned(profile: Profile) -> list[tuple[str, Note]]:
    found = [item for item in profile.notes.items() if item[1].pinned and item[1].end is None]
    return sorted(found, key=lambda item: item[1].versions[-1].by.time, reverse=True)[:SHOWN]


def open_tasks(profile: Profile) -> list[tuple[str, Task]]:
    found = [item for item in profile.tasks.items() if item[1].state == "open"]
    return sorted(found, key=lambda item: item[1].due or _LAST)[:SHOWN]


def open_commitments(profile: Profile) -> list[tuple[str, Commitment]]:
    found = [item for item in profile.commitments.items() if item[1].state == "open"]
    return sorted(found, key=lambda item: item[1].due or _LAST)[:SHOWN]


def worded(thing: Note | Task | Commitment) -> list[str]:
    """Keys of the events that may hold its words, newest first. A removed note has none."""
    if isinstance(thing, Note) and thing.end is not None:
        return []
    return [step.by.event for step in reversed(thing.steps[-_REWORDED:])]


def withdrawn(profile: Profile) -> set[bytes]:
    """Keys of the events of removed notes."""
    return {
        bytes.fromhex(step.by.event)
        for note in profile.notes.values()
        if note.end is not None
        for step in note.steps
    }


def note(name: str, note: Note, opened: Mapping[str, Opened], mask: Mask) -> NoteView:
    return NoteView(
        note=name,
        agent=note.agent,
        ref=note.ref,
        pinned=note.pinned,
        body=_text(opened, note, "body", mask, "notes[].body"),
        mentions=mentions(_newest(opened, worded(note), "mentions"), mask, "notes[].mentions"),
        edits=len(note.versions) - 1,
        **source(_last(note.versions, note)),
    )


def task(
    name: str, task: Task, opened: Mapping[str, Opened], mask: Mask, now: datetime
) -> TaskView:
    return TaskView(
        task=name,
        title=_text(opened, task, "title", mask, "tasks[].title"),
        due=task.due,
        assignee=task.assignee,
        ref=task.ref,
        state=task.state,
        overdue=task.end is None and task.due is not None and task.due < now,
        **source(task.by),
    )


def commitment(
    name: str, commitment: Commitment, opened: Mapping[str, Opened], mask: Mask, now: datetime
) -> CommitmentView:
    is_late, state = commitment.is_late(now), commitment.state
    return CommitmentView(
        commitment=name,
        what=_text(opened, commitment, "what", mask, "commitments[].what"),
        due=commitment.due,
        agent=commitment.agent,
        ref=commitment.ref,
        state="overdue" if state == "open" and is_late else state,
        late=is_late,
        settled_at=None if commitment.end is None else commitment.end.by.time,
        **source(commitment.by),
    )


def notes(profile: Profile, opened: Mapping[str, Opened], mask: Mask) -> list[NoteView]:
    return [note(*item, opened, mask) for item in pinned(profile)]


def tasks(
    profile: Profile, opened: Mapping[str, Opened], mask: Mask, now: datetime
) -> list[TaskView]:
    return [task(*item, opened, mask, now) for item in open_tasks(profile)]


def commitments(
    profile: Profile, opened: Mapping[str, Opened], mask: Mask, now: datetime
) -> list[CommitmentView]:
    return [commitment(*item, opened, mask, now) for item in open_commitments(profile)]


def mentions(told: object, mask: Mask, place: str) -> list[Text]:
    if isinstance(told, list):
        return [mask.text(place, one) for one in told]
    return [] if told is None else [mask.text(place, told)]


def _last(versions: Sequence[Step], note: Note) -> Source:
    """The source of what the note reads now; a note that only its removal tells of has that."""
    return versions[-1].by if versions else note.by


def _text(
    opened: Mapping[str, Opened],
    thing: Note | Task | Commitment,
    field: str,
    mask: Mask,
    place: str,
) -> Text:
    return mask.text(place, _newest(opened, worded(thing), field))


def _newest(opened: Mapping[str, Opened], keys: Sequence[str], field: str) -> object:
    """The newest word on a field; not every step repeats it."""
    for key in keys:
        event = opened.get(key)
        value = None if event is None else event.personal_value(field)
        if value is not None:
            return value
    return None

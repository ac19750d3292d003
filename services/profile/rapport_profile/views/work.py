"""What agents noted, have to do and promised; their words are in the events."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from rapport_profile.domain.state import Commitment, Note, Profile, Task
from rapport_profile.mask import Mask
from rapport_profile.reader import Opened
from rapport_profile.schemas.base import Text
from rapport_profile.schemas.work import CommitmentView, NoteView, TaskView
from rapport_profile.views.facts import source

SHOWN: Final = 50
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def pinned(profile: Profile) -> list[tuple[str, Note]]:
    found = [item for item in profile.notes.items() if item[1].pinned]
    return sorted(found, key=lambda item: item[1].by.time, reverse=True)[:SHOWN]


def open_tasks(profile: Profile) -> list[tuple[str, Task]]:
    found = [item for item in profile.tasks.items() if item[1].state == "open"]
    return sorted(found, key=lambda item: item[1].due or _LAST)[:SHOWN]


def open_commitments(profile: Profile) -> list[tuple[str, Commitment]]:
    found = [item for item in profile.commitments.items() if item[1].state == "open"]
    return sorted(found, key=lambda item: item[1].due or _LAST)[:SHOWN]


def notes(profile: Profile, opened: Mapping[str, Opened], mask: Mask) -> list[NoteView]:
    return [
        NoteView(
            note=name,
            agent=note.agent,
            ref=note.ref,
            body=_text(opened, note.text_by.event, "body", mask, "notes[].body"),
            **source(note.text_by),
        )
        for name, note in pinned(profile)
    ]


def tasks(profile: Profile, opened: Mapping[str, Opened], mask: Mask) -> list[TaskView]:
    return [
        TaskView(
            task=name,
            title=_text(opened, task.by.event, "title", mask, "tasks[].title"),
            due=task.due,
            assignee=task.assignee,
            ref=task.ref,
            **source(task.by),
        )
        for name, task in open_tasks(profile)
    ]


def commitments(profile: Profile, opened: Mapping[str, Opened], mask: Mask) -> list[CommitmentView]:
    return [
        CommitmentView(
            commitment=name,
            what=_text(opened, commitment.by.event, "what", mask, "commitments[].what"),
            due=commitment.due,
            agent=commitment.agent,
            ref=commitment.ref,
            **source(commitment.by),
        )
        for name, commitment in open_commitments(profile)
    ]


def _text(opened: Mapping[str, Opened], key: str, field: str, mask: Mask, place: str) -> Text:
    event = opened.get(key)
    return None if event is None else mask.text(place, event.personal_value(field))

"""What agents wrote down and promised: notes, tasks, commitments; and what customers answered."""

from typing import Literal

from rapport_events import wire

from rapport_profile.domain.state import Commitment, Note, Profile, Score, Source, Task


def evolve_note(profile: Profile, data: wire.Data, by: Source) -> None:
    match data:
        case wire.NoteAdded():
            profile.notes[data.note or by.event] = Note(
                by, by, data.agent, data.ref, bool(data.pinned)
            )
        case wire.NoteEdited() if note := profile.notes.get(data.note or ""):
            note.text_by = by
            note.pinned = note.pinned if data.pinned is None else data.pinned
        case wire.NoteRemoved():
            profile.notes.pop(data.note or "", None)


def evolve_task(profile: Profile, data: wire.Data, by: Source) -> None:
    match data:
        case wire.TaskCreated():
            profile.tasks[data.task or by.event] = Task(by, data.due, data.assignee, data.ref)
        case wire.TaskAssigned() if task := profile.tasks.get(data.task or ""):
            task.assignee = data.assignee
        case wire.TaskCompleted():
            _end_task(profile, data.task, "completed")
        case wire.TaskCancelled():
            _end_task(profile, data.task, "cancelled")


def evolve_commitment(profile: Profile, data: wire.Data, by: Source) -> None:
    match data:
        case wire.CommitmentMade():
            profile.commitments[data.commitment or by.event] = Commitment(
                by, data.due, data.agent, data.ref
            )
        case wire.CommitmentKept():
            _settle(profile, data.commitment, "kept")
        case wire.CommitmentBroken():
            _settle(profile, data.commitment, "broken")


def evolve_survey(profile: Profile, data: wire.Data, by: Source) -> None:
    """Keeps the last answer of each kind; a correction replaces the answer it corrects."""
    if not isinstance(data, wire.SurveyResponded):
        return
    kind = f"{data.kind}/{data.about or 'relationship'}"
    answer = Score(data.survey or by.event, data.score, data.revision or 1, by)
    known = profile.satisfaction.get(kind)
    corrects_newer = (
        known is not None and known.survey == answer.survey and known.revision > answer.revision
    )
    if not corrects_newer:
        profile.satisfaction[kind] = answer


def _end_task(profile: Profile, name: str | None, state: Literal["completed", "cancelled"]) -> None:
    if task := profile.tasks.get(name or ""):
        task.state = state


def _settle(profile: Profile, name: str | None, state: Literal["kept", "broken"]) -> None:
    if commitment := profile.commitments.get(name or ""):
        commitment.state = state

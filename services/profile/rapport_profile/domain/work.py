"""What agents wrote down and promised: notes, tasks, commitments; and what customers answered."""

from rapport_events import wire

from rapport_profile.domain.state import Profile, Score, Source
from rapport_profile.domain.steps import Commitment, Note, Step, StepName, Task


def evolve_note(profile: Profile, data: wire.Data, by: Source) -> None:
    if not isinstance(data, wire.NoteAdded | wire.NoteEdited | wire.NoteRemoved):
        return
    note = profile.notes.setdefault(data.note, Note())
    match data:
        case wire.NoteAdded():
            note.take(Step("added", by, data.agent, data.ref, None, data.pinned))
        case wire.NoteEdited():
            note.take(Step("edited", by, data.agent, data.ref, None, data.pinned))
        case wire.NoteRemoved():
            note.take(Step("removed", by, data.agent))


def evolve_task(profile: Profile, data: wire.Data, by: Source) -> None:
    match data:
        case wire.TaskCreated():
            name: StepName = "created"
        case wire.TaskAssigned():
            name = "assigned"
        case wire.TaskCompleted():
            name = "completed"
        case wire.TaskCancelled():
            name = "cancelled"
        case _:
            return
    task = profile.tasks.setdefault(data.task, Task())
    task.take(Step(name, by, data.assignee, data.ref, data.due))


def evolve_commitment(profile: Profile, data: wire.Data, by: Source) -> None:
    match data:
        case wire.CommitmentMade():
            name: StepName = "made"
        case wire.CommitmentKept():
            name = "kept"
        case wire.CommitmentBroken():
            name = "broken"
        case _:
            return
    commitment = profile.commitments.setdefault(data.commitment, Commitment())
    commitment.take(Step(name, by, data.agent, data.ref, data.due))


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

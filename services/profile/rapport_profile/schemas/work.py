"""What agents noted, have to do and promised."""

from typing import Literal

from pydantic import Field
from rapport_runtime.http.views import Instant, View

from rapport_profile.schemas.base import Meta, SourceView, Text

_TASK = Literal["open", "completed", "cancelled"]


class NoteView(SourceView):
    """A note, as it reads now; the source is its newest version's."""

    note: str
    agent: str | None = Field(description="Who wrote it")
    ref: str | None = Field(description="What it is about, as kind:id")
    pinned: bool
    body: Text
    mentions: list[Text] = Field(description="Colleagues whom it names")
    edits: int = Field(description="How often it was written anew")


class VersionView(SourceView):
    """A note as it once read."""

    agent: str | None
    pinned: bool | None = Field(description="What this version said of it; null: nothing")
    body: Text = Field(description="Null where this version changed no text")
    mentions: list[Text]


class RemovalView(SourceView):
    agent: str | None


class NoteHistoryView(NoteView):
    """A note with all its versions. Of a removed note the words are not shown."""

    removed: RemovalView | None
    versions: list[VersionView] = Field(description="Oldest first; at most the newest hundred")


class TaskView(SourceView):
    """Something that an agent has, or had, to do."""

    task: str
    title: Text
    due: Instant | None
    assignee: str | None
    ref: str | None
    state: _TASK
    overdue: bool = Field(description="Open, and due before now")


class ChangeView(SourceView):
    """One step in the life of a task or a commitment."""

    change: Literal[
        "created", "assigned", "completed", "cancelled", "made", "kept", "broken"
    ]  # fmt: skip
    agent: str | None = Field(description="Who did it; for a task, whose it is from then on")
    due: Instant | None = Field(description="What this step said of it; null: nothing")


class TaskHistoryView(TaskView):
    changes: list[ChangeView] = Field(description="Oldest first; at most the newest hundred")


class CommitmentView(SourceView):
    """A promise to the customer."""

    commitment: str
    what: Text
    due: Instant | None
    agent: str | None = Field(description="Who promised")
    ref: str | None
    state: Literal["open", "overdue", "kept", "broken"]
    late: bool = Field(description="Settled after it was due, or due and still open")
    settled_at: Instant | None = Field(description="When it was kept or broken")


class CommitmentHistoryView(CommitmentView):
    changes: list[ChangeView] = Field(description="Oldest first; at most the newest hundred")


class ReasonView(View):
    """One thing that was known, and the events that say so."""

    fact: str
    value: str | None
    events: list[str] = Field(description="Keys of events, hexadecimal")


class NextActionView(SourceView):
    """Something that an agent might do next; the personalization service takes the answer."""

    suggestion: str = Field(description="Id to answer it by")
    rule: str | None = Field(examples=["payment_failed"])
    title: str
    priority: int | None = Field(description="The greater the sooner")
    ref: str | None = Field(description="What it is about, as kind:id")
    due: Instant | None
    value: int | None = Field(description="At stake, in minor units")
    currency: str | None
    reasons: list[ReasonView]


class _PageView(View):
    """A page of the work for one customer, newest first."""

    subject: str
    next_cursor: str | None
    meta: Meta


class NotesView(_PageView):
    notes: list[NoteHistoryView]


class TasksView(_PageView):
    tasks: list[TaskHistoryView]


class CommitmentsView(_PageView):
    commitments: list[CommitmentHistoryView]

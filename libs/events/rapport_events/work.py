"""What our own people do for a customer: notes, tasks, promises, corrections, and looking."""

from typing import Annotated, ClassVar

from pydantic import Field

from rapport_events.event import PII, Event, Name, Ref, Text
from rapport_events.reference import MaybeAgent, MaybeDue, MaybeReason

_Note = Annotated[Ref, Field(description="Id of the note.", examples=["n-12"])]
_Task = Annotated[Ref, Field(description="Id of the task.", examples=["task-7"])]
_Commitment = Annotated[Ref, Field(description="Id of the promise.", examples=["c-3"])]
_About = Annotated[
    Ref | None, Field(description="What it is about, as kind:id.", examples=["ticket:T-1042"])
]
_Pinned = Annotated[bool | None, Field(description="Shown first?", examples=[True])]
# A person writes these, so they name people sooner or later.
_Body = Annotated[
    Text | None, PII, Field(description="The text.", examples=["Prefers to be called after 5."])
]
_Mentions = Annotated[
    list[Ref] | None,
    PII,
    Field(max_length=100, description="Who is named in it.", examples=[["ben"]]),
]
_Title = Annotated[
    Text | None, PII, Field(description="What is to be done.", examples=["Call Ada back"])
]
_What = Annotated[
    Text | None, PII, Field(description="What was promised.", examples=["A call on Monday"])
]
_Assignee = Annotated[Ref | None, Field(description="Whose task it is.", examples=["eve"])]
_Decision = Annotated[
    Ref | None, Field(description="The `decision.made` behind it.", examples=["d-55"])
]
_Contact = Annotated[
    Ref,
    Field(
        description="The contact, as kind:id (`ticket`, `call`, `bot`, `help`, `callback`, "
        "`visit`, `appointment`, `social`, `return`, `error`; each attempt in the profile's "
        "answer names its own).",
        examples=["call:f-207"],
    ),
]
_Issue = Annotated[
    Ref | None,
    Field(
        description="A contact of the issue that it belongs to, as kind:id. Left out: to none "
        "of the others.",
        examples=["ticket:T-1042"],
    ),
]


class NoteAdded(Event):
    """An agent wrote something down about a customer."""

    type: ClassVar[str] = "note.added.v1"

    note: _Note
    ref: _About = None
    agent: MaybeAgent = None
    pinned: _Pinned = None
    body: _Body = None
    mentions: _Mentions = None


class NoteEdited(Event):
    """A note says something else from now on."""

    type: ClassVar[str] = "note.edited.v1"

    note: _Note
    ref: _About = None
    agent: MaybeAgent = None
    pinned: _Pinned = None
    body: _Body = None
    mentions: _Mentions = None


class NoteRemoved(Event):
    """A note is not shown any more."""

    type: ClassVar[str] = "note.removed.v1"

    note: _Note
    ref: _About = None
    agent: MaybeAgent = None


class TaskCreated(Event):
    """Somebody has something to do for a customer."""

    type: ClassVar[str] = "task.created.v1"

    task: _Task
    title: _Title = None
    due: MaybeDue = None
    assignee: _Assignee = None
    ref: _About = None
    decision: _Decision = None


class TaskAssigned(Event):
    """A task became somebody's."""

    type: ClassVar[str] = "task.assigned.v1"

    task: _Task
    title: _Title = None
    due: MaybeDue = None
    assignee: _Assignee = None
    ref: _About = None
    decision: _Decision = None


class TaskCompleted(Event):
    """A task is done."""

    type: ClassVar[str] = "task.completed.v1"

    task: _Task
    title: _Title = None
    due: MaybeDue = None
    assignee: _Assignee = None
    ref: _About = None
    decision: _Decision = None


class TaskCancelled(Event):
    """A task will not be done."""

    type: ClassVar[str] = "task.cancelled.v1"

    task: _Task
    title: _Title = None
    due: MaybeDue = None
    assignee: _Assignee = None
    ref: _About = None
    decision: _Decision = None


class CommitmentMade(Event):
    """We promised the customer something."""

    type: ClassVar[str] = "commitment.made.v1"

    commitment: _Commitment
    what: _What = None
    due: MaybeDue = None
    agent: MaybeAgent = None
    ref: _About = None


class CommitmentKept(Event):
    """We did what we promised."""

    type: ClassVar[str] = "commitment.kept.v1"

    commitment: _Commitment
    what: _What = None
    due: MaybeDue = None
    agent: MaybeAgent = None
    ref: _About = None


class CommitmentBroken(Event):
    """We did not do what we promised."""

    type: ClassVar[str] = "commitment.broken.v1"

    commitment: _Commitment
    what: _What = None
    due: MaybeDue = None
    agent: MaybeAgent = None
    ref: _About = None


class IssueCorrected(Event):
    """An agent said which issue a contact belongs to; the newest word on a contact holds."""

    type: ClassVar[str] = "issue.corrected.v1"

    contact: _Contact
    issue: _Issue = None
    agent: MaybeAgent = None
    reason: MaybeReason = Field(default=None, examples=["other_parcel"])


class ProfileViewed(Event):
    """An agent read a customer's profile: the audit trail."""

    type: ClassVar[str] = "profile.viewed.v1"

    agent: MaybeAgent = None
    purpose: Name | None = Field(default=None, description="What for.", examples=["call f-207"])
    fields: Annotated[list[Name], Field(max_length=200)] | None = Field(
        default=None, description="What was shown.", examples=[["email", "phone"]]
    )

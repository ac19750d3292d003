"""What agents noted, have to do and promised."""

from pydantic import Field

from rapport_profile.schemas.base import Instant, SourceView, Text


class NoteView(SourceView):
    """A pinned note."""

    note: str
    agent: str | None
    ref: str | None = Field(description="What it is about, as kind:id")
    body: Text


class TaskView(SourceView):
    """Something that an agent still has to do."""

    task: str
    title: Text
    due: Instant | None
    assignee: str | None
    ref: str | None


class CommitmentView(SourceView):
    """A promise to the customer that is still to be kept."""

    commitment: str
    what: Text
    due: Instant | None
    agent: str | None
    ref: str | None

"""A customer over time: what changed between two moments, and what a trait once was."""

from typing import Literal

from pydantic import ConfigDict, Field
from rapport_runtime.http.views import Instant, View

from rapport_profile.schemas.base import Json, Meta, SourceView


class CauseView(SourceView):
    """An event that is in the one picture and not in the other."""

    type: str
    recordedtime: Instant = Field(description="When it was accepted here")
    gone: bool = Field(
        description="True where the later picture lacks it: people who were one are two again"
    )


class DifferenceView(View):
    """One thing that is not the same at both moments, in the shape that the profile shows it."""

    change: Literal["added", "removed", "changed"]
    before: Json
    after: Json
    events: list[CauseView] = Field(
        description="The newest twenty events that did it; none where time alone did"
    )
    events_count: int


class MomentView(View):
    """One of the two moments, and the person then."""

    at: Instant = Field(description="The moment that ages are counted to")
    as_of: Instant | None = Field(description="Null: nothing that happened is held back")
    known_at: Instant | None = Field(description="Null: nothing that is known is held back")
    subject: str
    subjects: list[str]


class DiffView(View):
    """What changed of one customer between two moments."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    subject: str = Field(description="The person's own subject id, at the later moment")
    before: MomentView = Field(alias="from")
    after: MomentView = Field(alias="to")
    changes: dict[str, dict[str, DifferenceView]] = Field(
        description="Part of the profile to the name of the thing in it; what is not here is the "
        "same at both moments",
        examples=[{"tickets": {"T-1042": {"change": "changed"}}}],
    )
    meta: Meta


class ValueView(SourceView):
    """A value that a trait had, from when it was first said until another was."""

    value: Json
    part: Literal["traits", "preferences", "scores"] = Field(
        description="Where the profile shows it"
    )
    personal: bool = Field(description="Whether only profile:pii shows the value")
    removed: bool = Field(description="True: from here on there is none")
    recordedtime: Instant = Field(description="When that event was accepted here")
    until: Instant | None = Field(description="Null for the one that holds")
    times: int = Field(description="How often it was said before another was")
    last_time: Instant = Field(description="When it was last said")


class TraitHistoryView(View):
    """Every value that one trait had, newest first."""

    subject: str
    trait: str
    values: list[ValueView]
    meta: Meta

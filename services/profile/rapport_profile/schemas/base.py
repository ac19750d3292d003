"""The pieces that all answers are made of."""

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema
from rapport_runtime.http.views import Instant, View


class ErasedView(View):
    """Stands for a value whose person was erased: nobody can read it any more."""

    erased: Literal[True]


class UnreadableView(View):
    """Stands for a value whose seal was broken or whose key was lost."""

    unreadable: Literal[True]


Text = str | ErasedView | UnreadableView | None
"""A personal text; null when there is none, or when the caller may not see it (`meta.masked`)."""

Json = Annotated[object, WithJsonSchema({"description": "Any JSON value"})]


class SourceView(View):
    """Which event said so."""

    event: str = Field(description="Event key, 32 hex digits")
    source: str = Field(description="CloudEvents source: the publisher")
    time: Instant = Field(description="When it happened")


class Meta(View):
    """How current an answer is, and what it leaves out."""

    position: dict[str, dict[str, int]] = Field(
        description="Topic to partition to the offset of the next event: all before it is in here",
        examples=[{"rapport.interactions.v1": {"0": 4711}}],
    )
    lag_ms: int = Field(description="How far the view is behind the log, in milliseconds")
    projection_version: str = Field(examples=["profile.v1"])
    masked: list[str] = Field(
        default=[], description="Personal fields that are null because profile:pii is missing"
    )
    erased: list[str] = Field(default=[], description="Fields that lack what was erased")
    partial: list[str] = Field(default=[], description="Fields that were cut at a limit")
    as_of: Instant | None = Field(
        default=None, description="The answer shows what had happened by then; absent: by now"
    )
    known_at: Instant | None = Field(
        default=None, description="The answer shows what was known then; absent: what is known now"
    )

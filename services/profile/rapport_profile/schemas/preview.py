"""What a merge of two people would make of them."""

from pydantic import BaseModel, ConfigDict, Field
from rapport_runtime.http.views import View

from rapport_profile.domain.lifecycle import Stage
from rapport_profile.schemas.base import Json, Meta, SourceView
from rapport_profile.schemas.identity import MergeNameView, SideView, ToSendView
from rapport_profile.schemas.profile import ProfileView


class TwoProfiles(BaseModel):
    """The two people who may be one, each under any of their names."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    profiles: list[str] = Field(
        min_length=2,
        max_length=2,
        description="Subject id or kind:value, as in /v1/profiles/{ref}",
        examples=[["user_id:u-97", "user_id:u-12"]],
    )


class WordView(SourceView):
    """What one of the two is said to be."""

    person: str
    value: Json


class ConflictView(View):
    """Something that the two differ on."""

    name: str = Field(examples=["plan", "email/marketing"])
    values: list[WordView]
    result: Json = Field(description="What the one person would be said to be")
    wins: str | None = Field(description="Whose word holds; null: nobody's of the two")
    why: str = Field(examples=["said last"])


class StagesView(View):
    before: list[Stage] = Field(description="Of each of the two")
    after: Stage


class CountView(View):
    before: list[int] = Field(description="Of each of the two")
    after: int


class ChangesView(View):
    """How the one person would differ from the two."""

    joined: list[str] = Field(
        description="Subjects of neither that would join: a link that was refused would hold"
    )
    left: list[str] = Field(
        description="Subjects of one of the two that a guard would hold back: they would be people "
        "of their own"
    )
    traits: list[ConflictView]
    preferences: list[ConflictView]
    consents: list[ConflictView]
    scores: list[ConflictView]
    stage: StagesView
    counts: dict[str, CountView] = Field(
        description="events, orders, open_orders, open_tickets, calls, pinned_notes, open_tasks, "
        "open_commitments, points"
    )


class GuardView(View):
    """A guard that would have refused the merge, had it come from a link."""

    kind: str = Field(examples=["user_id"])
    total: int = Field(description="Identifiers of the kind that the one person would have")
    limit: int = Field(description="The most that links alone may give one person")


class PreviewView(View):
    """A merge that has not happened. Nothing was written but the audit trail."""

    profiles: list[SideView] = Field(min_length=2, max_length=2)
    result: ProfileView = Field(description="The one person, as they would be read")
    changes: ChangesView
    guards: list[GuardView] = Field(description="Guards that the merge overrides")
    settles: list[MergeNameView] = Field(description="Merge suggestions that it would settle")
    refuses: list[MergeNameView] = Field(description="Links that would no longer hold")
    merge: ToSendView = Field(description="Does it")
    meta: Meta

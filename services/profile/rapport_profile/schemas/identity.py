"""Identity work: who might be one person, why somebody is, and what a merge would change."""

from typing import Literal

from pydantic import Field
from rapport_runtime.http.views import Instant, View

from rapport_profile.schemas.base import Json, Meta, SourceView, Text
from rapport_profile.schemas.profile import IdentityView


class MergeNameView(View):
    """How an unmerge names a merge: `merge_event_id` and `merge_source`."""

    event_id: str
    source: str = Field(examples=["/rapport/profile"])


class ToSendView(View):
    """What to send to ingest; add `specversion`, `source`, `time` and an `id` of your own."""

    type: str = Field(examples=["customer.merged.v1"])
    data: dict[str, Json] = Field(
        examples=[{"identifiers": {"user_id": "u-97"}, "from": {"user_id": "u-12"}}]
    )


class EvidenceView(SourceView):
    """The event that says so."""

    id: str = Field(description="CloudEvents id")
    type: str


class SideView(View):
    """One of two people."""

    subject: str
    subjects: list[str]
    url: str = Field(description="Where to read the whole", examples=["/v1/profiles/…"])
    kinds: dict[str, int] = Field(
        description="Kind to the number of identifiers", examples=[{"user_id": 1, "email": 2}]
    )
    identities: list[IdentityView] = Field(description="The strongest first")


class SuggestionView(View):
    """A link that an event told and a guard refused: two people, perhaps one."""

    sides: list[SideView] = Field(min_length=2, max_length=2)
    linked: list[str] = Field(description="The subjects that the event names together")
    reason: str = Field(
        description="The guard: kind, how many the person would have, the most that links may give",
        examples=["user_id: 2 > 1"],
    )
    since: Instant
    told_by: EvidenceView | None
    merge: MergeNameView = Field(description="The merge that did not happen")
    accept: ToSendView = Field(description="Makes them one person, whatever the guard says")
    dismiss: ToSendView = Field(description="They are two: never suggest it again")


class SuggestionsView(View):
    suggestions: list[SuggestionView]
    next_cursor: str | None
    meta: Meta


class EndView(View):
    """One end of a link: an identifier, as it came in."""

    subject: str
    kind: str | None = Field(description="Null once it was erased")
    value: Text
    person: str = Field(description="The person that it belongs to now")


class CutView(SourceView):
    """The unmerge."""

    id: str
    at: Instant = Field(description="When it was accepted")


class LinkView(View):
    """Something that was said about two subjects being one person."""

    state: Literal["live", "cut", "refused"] = Field(
        description="live: it holds. cut: an unmerge took it back. refused: a guard holds it back"
    )
    explicit: bool = Field(
        description="Somebody said it; else an event has several identifiers, and guards apply"
    )
    ends: list[EndView] = Field(min_length=2, max_length=2)
    since: Instant = Field(description="When it was first accepted")
    told_by: EvidenceView | None
    merge: MergeNameView | None
    refused: str | None = Field(examples=["user_id: 2 > 1"])
    cut: CutView | None
    undo: ToSendView | None = Field(description="Takes it back; null unless it is live")


class LinksView(View):
    """Why these subjects are one person, the oldest reason first."""

    subject: str
    subjects: list[str]
    links: list[LinkView]
    next_cursor: str | None
    meta: Meta

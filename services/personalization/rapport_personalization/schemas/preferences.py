"""Links to preferences, and who is not written to, as the API takes and answers them."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from rapport_runtime.http.views import Instant, View


class PreferenceLinkView(View):
    """The way to somebody's preferences, to be handed to nobody but them."""

    customer: str = Field(description="Subject id")
    link: str = Field(description="Whoever has it may read and change the preferences")
    expires_at: Instant


class AskedSuppression(BaseModel):
    """Not to write to somebody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scope: Literal["marketing", "everything"] = "everything"
    until: AwareDatetime | None = Field(
        default=None, description="Absent: until it is taken back", strict=False
    )
    reason: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="A label of your own, not a text", examples=["in_court"]
    )


class SuppressionView(View):
    """Whether we write to somebody."""

    customer: str = Field(description="Subject id")
    scope: Literal["marketing", "everything"] | None = Field(description="Null: we do")
    until: Instant | None
    since: Instant | None


class SuppressionsPage(View):
    """Whom we do not write to, in the order of their ids."""

    suppressions: list[SuppressionView]
    next_cursor: str | None

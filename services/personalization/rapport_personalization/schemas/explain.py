"""Why something was done for a customer, or was not, as the API answers it."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from rapport_runtime.http.views import Instant, View

from rapport_personalization.domain.decision import Outcome
from rapport_personalization.schemas.decisions import GateView


class AskedExplanation(BaseModel):
    """Who, which trigger, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer: Annotated[str, Field(min_length=1, max_length=300)] = Field(
        description="A subject id, or `email:…`, `user_id:…`"
    )
    trigger: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="Absent: what decided, or else what is in force"
    )
    at: AwareDatetime | None = Field(default=None, description="Absent: now", strict=False)
    anchor: Annotated[str, Field(max_length=300)] | None = Field(
        default=None, description="Of several occasions this one; absent: the last until `at`"
    )


class CandidateView(View):
    """The occasion."""

    anchor: str
    about: str | None = Field(description="The order, cart, ticket …")
    at: Instant = Field(description="When the event happened")
    due: Instant
    send_at: Instant = Field(description="Due, or the end of the quiet hours it lies in")
    cause: str | None = Field(description="Key of the event; null: the calendar")


class ExplanationView(View):
    """What the gates said, worked out again from the customer's events."""

    customer: str
    trigger: str
    version: str
    at: Instant
    verdict: Outcome | Literal["waiting", "no_candidate"] = Field(
        description="Where `decision` is null, what would have been decided. waiting: `send_at` "
        "had not come. no_candidate: nothing had started it"
    )
    sentence: str
    candidate: CandidateView | None
    gate: str | None = Field(description="The first that fails")
    gates: list[GateView] = Field(description="In order; all of them, also behind the first")
    decision: str | None = Field(description="What was decided on this occasion, if anything was")
    decided: Outcome | None
    agrees: bool | None = Field(description="Whether this is what was decided then")
    shadow: bool | None = Field(
        description="Decided, but nothing followed, because the version was in shadow"
    )
    moments: int = Field(description="Events of the customer that were looked at")

"""What the outside sees of the privacy desk."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from rapport_runtime.http.views import Instant, View

Kind = Literal["access", "erasure"]
Status = Literal["accepted", "erasing", "purging", "completed"]


class AskedRequest(BaseModel):
    """What a person asks for, and by which names we know them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Kind
    identifiers: dict[str, Annotated[str, Field(max_length=300)]] | None = Field(
        default=None,
        min_length=1,
        max_length=32,
        description="Kind to value; all of one person",
        examples=[{"user_id": "u-97"}],
    )
    subject: Annotated[UUID, Field(strict=False)] | None = Field(
        default=None, description="In the place of identifiers: any subject id of the person"
    )
    dry_run: bool = Field(default=False, description="Erasure: say what would go, and stop there")

    @model_validator(mode="after")
    def _names_one_person(self) -> Self:
        if (self.identifiers is None) == (self.subject is None):
            raise PydanticCustomError("one_of", "give either identifiers or subject")
        return self


class PlanView(View):
    """What an erasure would destroy."""

    keys: int
    identifiers: int
    rows: dict[str, int] = Field(description="Table to its rows about the person")


class RequestView(View):
    """A request and how far it is."""

    id: str
    kind: Kind
    status: Status = Field(
        description="erasing: keys and identifiers are destroyed, events on their way are waited "
        "for. purging: published, the read models are being purged"
    )
    dry_run: bool
    requested_at: Instant
    finished_at: Instant | None
    subjects: list[str] = Field(description="Random ids of the person")
    unknown: list[str] = Field(description="Kinds of given identifiers that name nobody")
    plan: PlanView | None = Field(default=None, description="Of a dry run")
    certificate: str | None = Field(default=None, description="Where the certificate is")
    export: str | None = Field(default=None, description="Where the person's data is")


class ProjectionView(View):
    """What one read model has deleted."""

    projection: str = Field(examples=["profile.v1"])
    subjects: int = Field(description="Of how many of the person's subjects it has reported")
    complete: bool
    rows: dict[str, int] = Field(description="Table to the number of rows that were deleted")
    purged_at: Instant | None = Field(description="When it had reported all of them")


class CertificateView(View):
    """The proof of an erasure. Holds no personal data, and may be given to the person."""

    certificate_id: str
    status: Status
    complete: bool = Field(description="Whether every read model has reported")
    subjects: list[str]
    key_ids: list[str] = Field(description="Of the keys that were destroyed")
    keys_destroyed: int
    identifiers_suppressed: int = Field(description="Events that name one are refused from then on")
    requested_at: Instant
    keys_destroyed_at: Instant | None = Field(
        description="From then on a new process reads nothing"
    )
    unreadable_at: Instant | None = Field(description="The last cache has forgotten the keys")
    published_at: Instant | None
    completed_at: Instant | None
    projections: list[ProjectionView]

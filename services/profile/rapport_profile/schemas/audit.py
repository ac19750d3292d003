"""Who read whom."""

from pydantic import Field
from rapport_runtime.http.views import Instant, View


class AuditView(View):
    """One answered read of a person."""

    id: int
    at: Instant
    key_id: str
    principal: str
    purpose: str | None
    action: str
    person: str
    fields: list[str]
    personal: bool = Field(description="Whether personal fields were shown")
    request_id: str


class AuditListView(View):
    """Reads, newest first."""

    reads: list[AuditView]
    next_cursor: str | None

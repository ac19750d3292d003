"""Who was found."""

from pydantic import Field
from rapport_runtime.http.views import Instant, View

from rapport_profile.schemas.base import Meta
from rapport_profile.schemas.profile import IdentityView, LifecycleView, TraitView


class HitView(View):
    """A customer that was found, in short."""

    subject: str
    subjects: list[str]
    url: str = Field(description="Where to read the whole", examples=["/v1/profiles/…"])
    first_seen: Instant | None
    last_seen: Instant | None
    identities: list[IdentityView]
    traits: dict[str, TraitView]
    lifecycle: LifecycleView
    orders: int
    open_tickets: int


class HitsView(View):
    """Customers who meet all criteria, each once.

    A page may hold fewer than its limit, or none, while `next_cursor` leads on.
    """

    profiles: list[HitView]
    next_cursor: str | None
    meta: Meta

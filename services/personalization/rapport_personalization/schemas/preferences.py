"""Links to preferences as the API answers them."""

from pydantic import Field
from rapport_runtime.http.views import Instant, View


class PreferenceLinkView(View):
    """The way to somebody's preferences, to be handed to nobody but them."""

    customer: str = Field(description="Subject id")
    link: str = Field(description="Whoever has it may read and change the preferences")
    expires_at: Instant

"""What a live stream sends: the data of each of its events."""

from typing import Literal

from pydantic import Field
from rapport_runtime.http.views import View

from rapport_profile.schemas.profile import ProfileView
from rapport_profile.schemas.timeline import EventView


class StreamHello(View):
    """`event: hello`, first on every connection: the customer as they are now."""

    event: Literal["hello"]
    resumed: bool = Field(description="Whether entries since the given id follow")
    profile: ProfileView = Field(description="The view, with the parts that were asked for")


class StreamChange(View):
    """`event: change`: what came since the event before.

    Keep entries of `profile.subjects` only, drop those of `anew`, then add `entries`: that is
    the history since the stream began, whoever was merged or parted meanwhile.
    """

    event: Literal["change"]
    anew: list[str] = Field(
        description="Subjects whose entries are told from their beginning, with this event or "
        "after it: those who joined, or into whose past an event was put"
    )
    entries: list[EventView] = Field(
        description="Entries of the timeline that were not sent before, in the order of the log"
    )
    more: bool = Field(description="Whether further entries follow at once")
    profile: ProfileView = Field(
        description="The parts of the view that changed; all of them when subjects changed"
    )


class StreamErased(View):
    """`event: erased`, the last: this customer's personal data was erased."""

    event: Literal["erased"]
    subject: str


class StreamEnd(View):
    """`event: end`, the last: why the service ends the stream."""

    event: Literal["end"]
    code: str = Field(examples=["server_stopping"])
    detail: str = Field(description="What happened, and what to do")
    resume: bool = Field(description="Whether to connect again with the id of the last event")

"""What is said about us in public."""

from typing import Annotated, ClassVar

from pydantic import Field

from rapport_events.event import PII, Event, Name, Ref, Text
from rapport_events.reference import MaybeSentiment


class SocialMentioned(Event):
    """Somebody named us in a post."""

    type: ClassVar[str] = "social.mentioned.v1"

    network: Name | None = Field(default=None, description="Where.", examples=["mastodon"])
    post: Ref = Field(description="The network's id of the post.", examples=["1128801"])
    sentiment: MaybeSentiment = None
    handle: Annotated[Ref | None, PII] = Field(
        default=None, description="Who wrote it, as named there.", examples=["@ada"]
    )
    text: Annotated[Text | None, PII] = Field(
        default=None, description="What they wrote.", examples=["Waiting since Monday …"]
    )

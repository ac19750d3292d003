"""How customers help themselves."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rapport_events.event import PII, Count, Event, Name, Ref, Text
from rapport_events.reference import MaybeSession


class HelpViewed(Event):
    """A help article was read."""

    type: ClassVar[str] = "help.viewed.v1"

    session: MaybeSession = None
    article: Ref = Field(description="The publisher's id of the article.", examples=["kb-29"])


class HelpSearched(Event):
    """Somebody searched the help pages."""

    type: ClassVar[str] = "help.searched.v1"

    session: MaybeSession = None
    query: Annotated[Text | None, PII] = Field(
        default=None, description="What they typed.", examples=["return a gift"]
    )
    results: Count | None = Field(
        default=None, description="How many were found; 0 is a gap in the help.", examples=[0]
    )


class HelpRated(Event):
    """A help article was found helpful, or not."""

    type: ClassVar[str] = "help.rated.v1"

    article: Ref = Field(description="The publisher's id of the article.", examples=["kb-29"])
    helpful: bool | None = Field(default=None, description="Did it help?", examples=[True])


class BotConversed(Event):
    """A conversation with a bot ended."""

    type: ClassVar[str] = "bot.conversed.v1"

    conversation: Ref = Field(
        description="The publisher's id of the conversation.", examples=["bot-771"]
    )
    intent: Name | None = Field(
        default=None, description="What it was about.", examples=["track_order"]
    )
    outcome: Literal["solved", "handed_over", "abandoned"] | None = Field(
        default=None, description="How it ended.", examples=["handed_over"]
    )

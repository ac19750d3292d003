"""Fields that many events share: ids of things that other events tell about.

The names that begin with Maybe are for fields that a publisher may leave out.
"""

from typing import Annotated

from pydantic import Field

from rapport_events.event import Currency, Minor, Name, Ref, Sentiment, Timestamp

TicketId = Annotated[
    Ref, Field(description="The publisher's id of the ticket.", examples=["T-1042"])
]
MaybeTicket = Annotated[
    Ref | None, Field(description="The ticket that this is about.", examples=["T-1042"])
]
OrderId = Annotated[Ref, Field(description="The publisher's id of the order.", examples=["O-2077"])]
MaybeOrder = Annotated[
    Ref | None, Field(description="The order that this is about.", examples=["O-2077"])
]
MaybeProduct = Annotated[
    Ref | None, Field(description="The publisher's id of the product.", examples=["sku-88"])
]
MaybeAgent = Annotated[
    Ref | None, Field(description="Id of the agent who did it. Not encrypted.", examples=["eve"])
]
MaybeTeam = Annotated[
    Name | None, Field(description="The agent's team. Not encrypted.", examples=["tier1"])
]
MaybeReason = Annotated[
    Name | None,
    Field(description="Why, as a label of the publisher's own.", examples=["changed_mind"]),
]
MaybeTopic = Annotated[
    Name | None, Field(description="What it is about, as a label.", examples=["delivery"])
]
MaybeSession = Annotated[
    Ref | None, Field(description="The publisher's id of the visit.", examples=["s-5512"])
]
MaybeStore = Annotated[
    Ref | None, Field(description="Id of the shop on the street.", examples=["berlin-mitte"])
]
MaybeAmount = Annotated[
    Minor | None, Field(description="Minor units of the currency.", examples=[4990])
]
MaybeCurrency = Annotated[
    Currency | None, Field(description="ISO 4217 code of the amount.", examples=["EUR"])
]
MaybeSentiment = Annotated[
    Sentiment | None,
    Field(description="How it sounds, -100 (furious) to 100 (delighted).", examples=[-40]),
]
MaybeDue = Annotated[
    Timestamp | None,
    Field(description="By when, RFC 3339 with an offset.", examples=["2026-03-09T16:00:00Z"]),
]
MaybeDefinition = Annotated[
    Ref | None,
    Field(description="Id and version of the rule or definition.", examples=["relationship@3"]),
]

"""What customers buy, how it reaches them, and what they send back."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rapport_events.commerce import Items
from rapport_events.event import Event, Name, Ref, Timestamp
from rapport_events.reference import (
    MaybeAmount,
    MaybeCurrency,
    MaybeOrder,
    MaybeProduct,
    MaybeReason,
    MaybeStore,
    OrderId,
)

_Shipment = Annotated[
    Ref | None, Field(description="The publisher's id of the parcel.", examples=["S-3301"])
]
_Return = Annotated[Ref, Field(description="The publisher's id of the return.", examples=["R-61"])]


class OrderPlaced(Event):
    """The customer bought something.

    `order` may be missing (real shops send orders without): the event key is the order then.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"properties": {"amount": {"type": "null"}}}, {"required": ["currency"]}]
        }
    )

    type: ClassVar[str] = "order.placed.v1"
    segment: ClassVar[tuple[str, ...]] = ("Order Completed",)

    order: MaybeOrder = None
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    margin: Annotated[int, Field(ge=-(2**53), le=2**53)] | None = Field(
        default=None, description="Minor units; may be negative.", examples=[1200]
    )
    coupon: Name | None = Field(default=None, description="Code used.", examples=["SPRING10"])
    store: MaybeStore = None
    product: MaybeProduct = None
    items: Items = None

    @model_validator(mode="after")
    def _amount_has_a_currency(self) -> Self:
        if self.amount is not None and self.currency is None:
            raise PydanticCustomError(
                "missing", "is required with an amount", {"field": "currency"}
            )
        return self


class OrderCancelled(Event):
    """An order was called off before it was delivered."""

    type: ClassVar[str] = "order.cancelled.v1"
    segment: ClassVar[tuple[str, ...]] = ("Order Cancelled",)

    order: OrderId
    reason: MaybeReason = None


class OrderRefunded(Event):
    """Money of an order went back. No amount: all of it. No currency: the order's."""

    type: ClassVar[str] = "order.refunded.v1"
    segment: ClassVar[tuple[str, ...]] = ("Order Refunded",)

    order: OrderId
    refund: Ref | None = Field(
        default=None,
        description="The publisher's id of the refund; else the event key is the refund.",
        examples=["RF-5"],
    )
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    reason: MaybeReason = Field(default=None, examples=["returned"])


class OrderShipped(Event):
    """An order, or a part of it, is on its way."""

    type: ClassVar[str] = "order.shipped.v1"

    order: OrderId
    shipment: _Shipment = None
    carrier: Name | None = Field(default=None, description="Who carries it.", examples=["dhl"])
    eta: Timestamp | None = Field(
        default=None, description="Promised arrival.", examples=["2026-03-12T18:00:00Z"]
    )


class ShipmentDelayed(Event):
    """A parcel will come later than promised."""

    type: ClassVar[str] = "shipment.delayed.v1"

    order: OrderId
    shipment: _Shipment = None
    eta_before: Timestamp | None = Field(
        default=None, description="Promised until now.", examples=["2026-03-12T18:00:00Z"]
    )
    eta_after: Timestamp | None = Field(
        default=None, description="Promised from now on.", examples=["2026-03-14T18:00:00Z"]
    )
    reason: MaybeReason = Field(default=None, examples=["weather"])


class OrderDelivered(Event):
    """An order, or a part of it, arrived."""

    type: ClassVar[str] = "order.delivered.v1"

    order: OrderId
    shipment: _Shipment = None
    on_time: bool | None = Field(default=None, description="As promised?", examples=[True])


class ReturnRequested(Event):
    """The customer wants to send something back."""

    type: ClassVar[str] = "return.requested.v1"

    order: MaybeOrder = None
    return_: _Return = Field(alias="return")
    reason: MaybeReason = Field(default=None, examples=["defect"])
    about: Literal["product", "service"] | None = Field(
        default=None, description="What disappointed them.", examples=["product"]
    )
    items: Items = None


class ReturnCompleted(Event):
    """A return arrived and was settled."""

    type: ClassVar[str] = "return.completed.v1"

    order: MaybeOrder = None
    return_: _Return = Field(alias="return")
    resolution: Literal["refund", "exchange"] | None = Field(
        default=None, description="How it was settled.", examples=["refund"]
    )

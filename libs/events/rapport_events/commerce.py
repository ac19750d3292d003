"""What customers look at and put in the cart."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from rapport_events.event import PII, Count, Event, Minor, Name, Ref, Text
from rapport_events.reference import (
    MaybeAmount,
    MaybeCurrency,
    MaybeOrder,
    MaybeProduct,
    MaybeReason,
)


class Item(BaseModel):
    """One line of a cart, an order or a return."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    product: MaybeProduct = None
    name: Name | None = Field(default=None, description="As shown.", examples=["Headphones"])
    category: Name | None = Field(default=None, description="Its category.", examples=["audio"])
    brand: Name | None = Field(default=None, description="Its brand.", examples=["Lyra"])
    variant: Name | None = Field(default=None, description="Size, colour …", examples=["black"])
    quantity: Count | None = Field(default=None, description="How many.", examples=[1])
    price: Minor | None = Field(
        default=None,
        description="Unit price, minor units of the event's currency.",
        examples=[4990],
    )


Items = Annotated[
    list[Item] | None,
    Field(
        max_length=500,
        description="The lines.",
        examples=[[{"product": "sku-88", "quantity": 1, "price": 4990}]],
    ),
]
MaybeCart = Annotated[
    Ref | None, Field(description="The publisher's id of the cart.", examples=["k-310"])
]
_Value = Annotated[
    Minor | None,
    Field(description="What it is worth, minor units of the currency.", examples=[4990]),
]


class ProductViewed(Event):
    """A product was looked at."""

    type: ClassVar[str] = "product.viewed.v1"
    segment: ClassVar[tuple[str, ...]] = ("Product Viewed",)

    product: MaybeProduct = None
    category: Name | None = Field(default=None, description="Its category.", examples=["audio"])
    value: _Value = None
    currency: MaybeCurrency = None


class WishlistAdded(Event):
    """A product was put on a wish list."""

    type: ClassVar[str] = "wishlist.added.v1"
    segment: ClassVar[tuple[str, ...]] = ("Product Added to Wishlist",)

    product: MaybeProduct = None


class CartUpdated(Event):
    """Something was put in the cart or taken out, or the cart was looked at."""

    type: ClassVar[str] = "cart.updated.v1"
    segment: ClassVar[tuple[str, ...]] = ("Cart Viewed", "Product Added", "Product Removed")

    cart: MaybeCart = None
    change: Literal["added", "removed", "viewed"] | None = Field(
        default=None,
        description="What happened. `items` are the lines added or removed, else the whole cart.",
        examples=["added"],
    )
    value: _Value = None
    currency: MaybeCurrency = None
    items: Items = None


class CheckoutStarted(Event):
    """The customer went to the checkout."""

    type: ClassVar[str] = "checkout.started.v1"
    segment: ClassVar[tuple[str, ...]] = ("Checkout Started",)

    cart: MaybeCart = None
    order: MaybeOrder = None
    value: _Value = None
    currency: MaybeCurrency = None
    items: Items = None


class PaymentFailed(Event):
    """A payment did not go through."""

    type: ClassVar[str] = "payment.failed.v1"

    order: MaybeOrder = None
    invoice: Ref | None = Field(
        default=None, description="The publisher's id of the invoice.", examples=["I-90"]
    )
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    reason: MaybeReason = Field(default=None, examples=["card_declined"])


class ProductReviewed(Event):
    """The customer wrote what they think of a product."""

    type: ClassVar[str] = "product.reviewed.v1"
    segment: ClassVar[tuple[str, ...]] = ("Product Reviewed",)

    product: MaybeProduct = None
    rating: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None, description="On the shop's own scale.", examples=[4]
    )
    text: Annotated[Text | None, PII] = Field(
        default=None, description="What they wrote.", examples=["Sounds great, hinge is loose."]
    )

"""Which properties of the Segment spec's track events become which fields of ours. Data only.

Names of properties are tried in order; the first whose value fits is taken, and what no row
takes stays in `properties`. Source: Segment's semantic events (ecommerce v2, email, B2B SaaS).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rapport_ingest.adapters import values


@dataclass(frozen=True, slots=True)
class Row:
    """One field of ours, the properties it may stand in, and how it is read."""

    field: str
    names: tuple[str, ...]
    read: Callable[[object], Any] = values.ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the properties of one track event become the fields of its class."""

    rows: tuple[Row, ...] = ()
    money: tuple[Row, ...] = ()
    """Decimal amounts; they need a currency, else they stay in `properties`."""
    items: str | None = None
    """The property that lists the lines; "" when the event itself is the one line."""
    always: Mapping[str, str] = field(default_factory=dict)
    """What the event's name says."""


def _row(field: str, *names: str, read: Callable[[object], Any] = values.ref) -> Row:
    return Row(field, names or (field,), read)


ITEM_ROWS: Final = (
    _row("product", "product_id", "productId", "sku", "id"),
    _row("name"),
    _row("category"),
    _row("brand"),
    _row("variant"),
    _row("quantity", read=values.count),
)
ITEM_MONEY: Final = (_row("price"),)

_ORDER = _row("order", "order_id", "orderId", "order", "order_number")
_CART = _row("cart", "cart_id", "cartId", "cart")
_PRODUCT = _row("product", "product_id", "productId", "product", "sku")
_CATEGORY = _row("category")
_REASON = _row("reason")
_TOTAL = _row("amount", "total", "revenue", "amount")
_VALUE = _row("value", "value", "total", "revenue")

_MAIL = (
    _row("message", "message_id", "email_id", "messageId"),
    _row("template", "template", "template_id", "campaign_name", "campaign_id"),
    _REASON,
)
_EMAIL = Recipe(rows=_MAIL, always={"channel": "email"})
_PUSH = Recipe(rows=_MAIL, always={"channel": "app"})

RECIPES: Final[Mapping[str, Recipe]] = {
    "signed up": Recipe(
        rows=(
            _row("email"),
            _row("phone", "phone", "phone_number", "phoneNumber"),
            _row("first_name", "first_name", "firstName", "firstname"),
            _row("last_name", "last_name", "lastName", "lastname"),
            _row("birth_date", "birth_date", "birthDate", "birthday", read=values.day),
            _row("segment"),
            _row("tz", "tz", "timezone", "time_zone"),
            _row("language", "language", "locale"),
            _row("email_consent", "email_consent", "emailConsent", read=values.flag),
        )
    ),
    "signed in": Recipe(rows=(_row("method"),)),
    "signed out": Recipe(rows=(_row("method"),)),
    "products searched": Recipe(
        rows=(
            _row("query", read=values.text),
            _row("results", "results", "results_count", "resultsCount", read=values.count),
        )
    ),
    "product viewed": Recipe(rows=(_PRODUCT, _CATEGORY), money=(_row("value", "value", "price"),)),
    "product added to wishlist": Recipe(rows=(_PRODUCT,)),
    "product added": Recipe(rows=(_CART,), items="", always={"change": "added"}),
    "product removed": Recipe(rows=(_CART,), items="", always={"change": "removed"}),
    "cart viewed": Recipe(
        rows=(_CART,), money=(_VALUE,), items="products", always={"change": "viewed"}
    ),
    "checkout started": Recipe(rows=(_CART, _ORDER), money=(_VALUE,), items="products"),
    "order completed": Recipe(
        rows=(_ORDER, _row("coupon"), _row("store", "store_id", "store"), _PRODUCT),
        money=(_TOTAL,),
        items="products",
    ),
    "order cancelled": Recipe(rows=(_ORDER, _REASON)),
    "order refunded": Recipe(
        rows=(_ORDER, _row("refund", "refund_id", "refundId"), _REASON), money=(_TOTAL,)
    ),
    "product reviewed": Recipe(
        rows=(
            _PRODUCT,
            _row("rating", read=values.percent),
            _row("text", "review_body", "reviewBody", "text", "body", read=values.text),
        )
    ),
    "coupon applied": Recipe(
        rows=(
            _ORDER,
            _row("offer", "coupon_id", "couponId"),
            _row("code", "coupon_name", "coupon", "code"),
        ),
        money=(_row("value", "discount"),),
        always={"kind": "coupon"},
    ),
    "email delivered": _EMAIL,
    "email bounced": _EMAIL,
    "email opened": _EMAIL,
    "email link clicked": _EMAIL,
    "unsubscribed": _EMAIL,
    "push notification received": _PUSH,
    "push notification bounced": _PUSH,
    "push notification tapped": _PUSH,
}
"""By `rapport_events.catalogue.segment_name`; a test holds it level with the catalogue."""

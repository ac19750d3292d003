"""A purchase as a shop's client and a carrier tell it, step by step."""

from datetime import datetime, timedelta
from typing import NamedTuple

from rapport_cli.demo.catalogue import Product
from rapport_cli.demo.script import CARRIER, LOYALTY, SHOP, Script

_MINUTE = timedelta(minutes=1)


class Delay(NamedTuple):
    """Promised arrivals before and after, and when the carrier gets round to telling us."""

    before: datetime
    after: datetime
    reason: str
    told: datetime | None = None


def look(script: Script, at: datetime, product: Product, device: str | None = None) -> None:
    seen = {
        "product_id": product.sku,
        "category": product.category,
        "price": float(product.price),
        "currency": "EUR",
    }
    script.call(at, "product.viewed.v1", "Product Viewed", seen, device=device)


def order(script: Script, at: datetime, number: str, product: Product) -> None:
    """Basket, checkout and order, minutes apart; `at` is when the order is placed."""
    line = {"product_id": product.sku, "name": product.name, "quantity": 1}
    priced = {**line, "price": product.price}
    put = {**line, "cart_id": f"cart-{number}"}
    script.call(at - 4 * _MINUTE, "cart.updated.v1", "Product Added", put)
    basket = {"order_id": number, "currency": "EUR", "products": [priced]}
    begun = {**basket, "value": float(product.price)}
    script.call(at - 2 * _MINUTE, "checkout.started.v1", "Checkout Started", begun)
    bought = {**basket, "total": float(product.price)}
    script.call(at, "order.placed.v1", "Order Completed", bought)
    points = {"points": int(float(product.price)), "reason": "order", "order": number}
    script.fact(at + _MINUTE, "points.earned", LOYALTY, points)


def ship(script: Script, at: datetime, number: str, eta: datetime) -> None:
    script.fact(at, "order.shipped", CARRIER, {**_parcel(number), "carrier": "dhl", "eta": eta})


def delay(script: Script, at: datetime, number: str, by: Delay) -> None:
    data = {"eta_before": by.before, "eta_after": by.after, "reason": by.reason}
    script.fact(at, "shipment.delayed", CARRIER, {**_parcel(number), **data}, sent=by.told)


def deliver(script: Script, at: datetime, number: str, *, on_time: bool) -> None:
    script.fact(at, "order.delivered", CARRIER, {**_parcel(number), "on_time": on_time})


def refund(script: Script, at: datetime, number: str, cents: int, *, told: datetime) -> None:
    """Some euro cents go back; the shop tells of it at `told`."""
    data = {"order": number, "refund": f"R-{number}", "amount": cents, "currency": "EUR"}
    script.fact(at, "order.refunded", SHOP, data, sent=told)


def allow(script: Script, at: datetime, channel: str) -> None:
    proof = {"proof": "sign-up-form", "policy_version": "2026-01"}
    data = {"channel": channel, "purpose": "marketing", **proof}
    script.fact(at, "consent.granted", SHOP, data, via="web")


def forbid(script: Script, at: datetime, channel: str) -> None:
    data = {"channel": channel, "purpose": "marketing", "proof": "preference-centre"}
    script.fact(at, "consent.withdrawn", SHOP, data, via="web")


def _parcel(number: str) -> dict[str, str]:
    return {"order": number, "shipment": f"S-{number}"}

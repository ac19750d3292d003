"""Payments that failed, and what settles them."""

import pytest
from rapport_events import wire
from rapport_personalization.domain.fold import folded

from tests.support.decisions import ADA, HOUR, NOON, moment


@pytest.mark.parametrize(
    ("since", "settled"),
    [
        (wire.OrderPlaced(order="o1", amount=100), {"i1", "i2", "o1"}),
        (wire.InvoicePaid(invoice="i1"), {"i1"}),
        (wire.OrderPlaced(order="i4", amount=100), {"i4"}),
    ],
)
def test_an_order_settles_every_payment_of_its_own(since: wire.Data, settled: set[str]) -> None:
    failed = (("o1", "i1"), (None, "i1"), ("o1", "i2"), ("o1", None), ("o2", "i3"), (None, "i4"))

    told = [wire.PaymentFailed(order=order, invoice=one) for order, one in failed]
    customer = folded(
        ADA, [moment(one, NOON + n * HOUR, name=str(n)) for n, one in enumerate([*told, since])]
    )

    assert {name for name, one in customer.payments.items() if one.settled} == settled

"""Amounts of publishers become minor units without losing or inventing a cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_events.currencies import CURRENCIES
from rapport_ingest.money import AmountError, currency_code, decimals, minor_units


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (19.9, "EUR", 1990),
        (19.99, "EUR", 1999),
        (20, "EUR", 2000),
        (0, "EUR", 0),
        ("19.90", "EUR", 1990),
        (" 7 ", "EUR", 700),
        (1200, "JPY", 1200),
        (1200.0, "JPY", 1200),
        (1.234, "KWD", 1234),
        (1.2345, "CLF", 12345),
        (0.29, "USD", 29),
        (1.15, "USD", 115),
        (90_071_992_547_409.92, "USD", 2**53),
    ],
)
def test_a_decimal_becomes_minor_units(amount: object, currency: str, minor: int) -> None:
    assert minor_units(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (19.999, "EUR", "amount_precision"),
        ("19.999", "EUR", "amount_precision"),
        (0.5, "JPY", "amount_precision"),
        (1.2345, "KWD", "amount_precision"),
        (1e-9, "EUR", "amount_precision"),
        ("0.30000000000000004", "EUR", "amount_unreadable"),
        (-1, "EUR", "amount_negative"),
        ("-0.01", "EUR", "amount_negative"),
        (1e15, "EUR", "amount_too_large"),
        (True, "EUR", "amount_unreadable"),
        (None, "EUR", "amount_unreadable"),
        ("19,90", "EUR", "amount_unreadable"),
        ("1e3", "EUR", "amount_unreadable"),
        ("NaN", "EUR", "amount_unreadable"),
        (float("inf"), "EUR", "amount_unreadable"),
        ("١٢", "EUR", "amount_unreadable"),
        ("", "EUR", "amount_unreadable"),
        ([1], "EUR", "amount_unreadable"),
    ],
)
def test_what_does_not_fit_is_refused(amount: object, currency: str, code: str) -> None:
    with pytest.raises(AmountError) as refused:
        minor_units(amount, currency)

    assert refused.value.code == code


def test_a_refusal_says_what_the_currency_has() -> None:
    with pytest.raises(AmountError, match=r"^19\.999 EUR has more than 2 decimals$"):
        minor_units(19.999, "EUR")


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_a_sum_of_prices_is_what_the_shop_shows(cents: list[int]) -> None:
    """0.1 + 0.2 is 0.30000000000000004 in JavaScript, and 0.30 on the receipt."""
    total = sum(price / 100 for price in cents)

    assert minor_units(total, "EUR") == sum(cents)


@given(st.integers(0, 10**15), st.sampled_from(sorted(CURRENCIES)))
def test_every_amount_of_a_currency_survives_as_text(minor: int, currency: str) -> None:
    amount = Decimal(minor).scaleb(-decimals(currency))

    assert minor_units(f"{amount:f}", currency) == minor


@given(st.integers(0, 10**13), st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_every_amount_of_a_currency_survives_as_a_number(minor: int, currency: str) -> None:
    amount = float(Decimal(minor).scaleb(-decimals(currency)))

    assert minor_units(amount, currency) == minor


def test_currencies_are_those_of_iso_4217() -> None:
    assert {decimals(code) for code in CURRENCIES} == {0, 2, 3, 4}
    assert currency_code(" eur ") == "EUR"


@pytest.mark.parametrize("code", ["", "EURO", "XXX", "XAU", "BTC", None, 978])
def test_what_is_no_currency_is_refused(code: object) -> None:
    with pytest.raises(AmountError) as refused:
        currency_code(code)

    assert refused.value.code == "unknown_currency"

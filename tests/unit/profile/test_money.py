"""Amounts as people read them."""

import pytest
from rapport_ingest.money import decimals
from rapport_profile.money import spoken


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [(4990, "EUR", "49.90 EUR"), (5, "EUR", "0.05 EUR"), (4990, "JPY", "4990 JPY"),
     (1, "KWD", "0.001 KWD"), (-250, "USD", "-2.50 USD"), (0, "CLF", "0.0000 CLF")],
)  # fmt: skip
def test_an_amount_has_the_decimals_of_its_currency(minor: int, currency: str, said: str) -> None:
    assert spoken(minor, currency) == said


@pytest.mark.parametrize("currency", ["EUR", "JPY", "BHD", "UYW", "ISK", "TND"])
def test_reading_and_writing_agree_on_decimals(currency: str) -> None:
    assert spoken(10 ** decimals(currency), currency).partition(".")[0].split()[0] == "1"

"""Amounts as people read them."""

from typing import Final

_NONE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR: Final = "CLF UYW"
"""ISO 4217 currencies whose minor unit is not a hundredth, by their decimals."""

_DECIMALS: Final = {
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    **dict.fromkeys(_FOUR.split(), 4),
}


def spoken(minor: int, currency: str) -> str:
    """`4990` of `EUR` is `49.90 EUR`, of `JPY` it is `4990 JPY`."""
    decimals = _DECIMALS.get(currency, 2)
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), 10**decimals)
    fraction = f".{rest:0{decimals}d}" if decimals else ""
    return f"{sign}{whole}{fraction} {currency}"

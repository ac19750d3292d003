"""Which currencies there are, and how many decimals the amounts of each are written with."""

from typing import Final


def _codes(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


ZERO_DECIMALS: Final = _codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF")
THREE_DECIMALS: Final = _codes("BHD IQD JOD KWD LYD OMR TND")
FOUR_DECIMALS: Final = _codes("CLF UYW")
_TWO_DECIMALS: Final = _codes("""
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
    PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
    TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
""")
_WITHDRAWN: Final = _codes("ANG BGN CUC HRK SLL ZWL")
"""Until 2023-2026, with two decimals: history that is back-filled still speaks of them."""

CURRENCIES: Final = ZERO_DECIMALS | THREE_DECIMALS | FOUR_DECIMALS | _TWO_DECIMALS | _WITHDRAWN
"""ISO 4217 alphabetic codes of money one can pay with; no metals, funds or test codes."""

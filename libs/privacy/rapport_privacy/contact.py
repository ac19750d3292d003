"""The one spelling of e-mail addresses and phone numbers."""

import re
from functools import lru_cache
from typing import Final
from unicodedata import decimal, normalize

import phonenumbers
from email_validator import EmailNotValidError, validate_email

_ATOM: Final = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL: Final = r"(?![A-Za-z0-9-]{2}--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN_EMAIL: Final = re.compile(
    rf"(?P<mailbox>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>(?:{_LABEL}\.)+(?=[^.]*[A-Za-z]\Z){_LABEL})\Z",
    re.ASCII,
)
_MAX_EMAIL: Final = 254
"""Octets, RFC 5321 with errata 1690."""

_MAX_DOMAIN: Final = 253
_PHONE_PUNCTUATION: Final = re.compile(r"[\s().\-/\u2010-\u2015\u2212\u00ad\u200b-\u200f\u2060]+")
_INTERNATIONAL: Final = re.compile(r"(?:\+|00)(?P<number>[1-9][0-9]*)\Z")
_E164_DIGITS: Final = range(7, 16)
_NATIONAL_DIGITS: Final = range(3, 21)


class ContactError(ValueError):
    """A text that is no e-mail address or no phone number. Says why, without the text."""


def normalise_email(text: str) -> str:
    """`Ada@EXAMPLE.com` is `ada@example.com`; `xn--` domains come out in Unicode.

    Mailboxes are casefolded, as no provider of note tells capitals apart; domains are not, since
    `straße.de` and `strasse.de` are two domains.
    Addresses in plain ASCII take a short cut that is 30 times as fast as the library and, unlike
    it, takes reserved domains (`corp.local`): mail cannot go there, but they do name a person.
    """
    plain = _PLAIN_EMAIL.match(text)
    if plain is None:
        return _normalise_international_email(text)
    if len(text) > _MAX_EMAIL or len(plain["domain"]) > _MAX_DOMAIN:
        raise ContactError("is too long for an e-mail address")
    return text.lower()


@lru_cache(maxsize=1024)
def _normalise_international_email(text: str) -> str:
    try:
        valid = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        # The library's reason quotes parts of the address.
        raise ContactError("is no e-mail address") from None
    mailbox = normalize("NFC", normalize("NFC", valid.local_part).casefold())
    return f"{mailbox}@{valid.domain}"


@lru_cache(maxsize=1024)
def normalise_phone(text: str) -> str:
    """`+49 (0)30 123-456` and `004930123456` are `+4930123456`; `030 123 456` is `030123456`.

    A national number stays national: its country is not ours to guess.
    """
    digits = _digits(text)
    international = _INTERNATIONAL.match(digits)
    if international is not None:
        return _e164(international["number"])
    if not (digits.isdecimal() and len(digits) in _NATIONAL_DIGITS):
        raise ContactError("is no phone number")
    return digits


def _digits(text: str) -> str:
    """Only `+` and 0-9, whatever script the digits were typed in; others stay and are refused."""
    bare = _PHONE_PUNCTUATION.sub("", normalize("NFKC", text).removeprefix("tel:"))
    return "".join(str(decimal(char)) if char.isdecimal() else char for char in bare)


def _e164(digits: str) -> str:
    """With the trunk zero of `+49 (0)30` taken out, which takes knowing each country's plan."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        number = None
    if number is not None and phonenumbers.is_possible_number(number):
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(digits) in _E164_DIGITS:
        # Countries get new codes and lengths after the library was made.
        return f"+{digits}"
    raise ContactError("is no international phone number")

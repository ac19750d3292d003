"""The short cut for plain addresses gives what the library gives."""

import string
import time

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from hypothesis import assume, given
from hypothesis import strategies as st
from rapport_privacy.contact import ContactError, normalise_email, normalise_phone

MAILBOX = st.text(string.ascii_letters + string.digits + "..__+-'!@ \"", max_size=12)
LABEL = st.text(string.ascii_letters + string.digits + "---_", max_size=7)
DOMAIN = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
LONG_DOMAIN = st.lists(
    st.sampled_from(["a" * 62, "b" * 63, "c" * 64, "xn--a", "ab--c", "com"])
).map(".".join)


def by_the_library(text: str) -> str | None:
    try:
        valid = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{valid.local_part.casefold()}@{valid.domain}"


def by_us(text: str) -> str | None:
    try:
        return normalise_email(text)
    except ContactError:
        return None


@given(MAILBOX | st.just("a" * 64), DOMAIN | LONG_DOMAIN)
def test_plain_addresses_are_read_as_the_library_reads_them(mailbox: str, domain: str) -> None:
    address = f"{mailbox}@{domain}"
    assume(domain.rpartition(".")[2].lower() not in SPECIAL_USE_DOMAIN_NAMES)

    assert by_us(address) == by_the_library(address)


@given(st.text(string.ascii_letters + "._-", min_size=1, max_size=300))
def test_an_address_of_any_length_is_read_as_the_library_reads_it(mailbox: str) -> None:
    address = f"{mailbox}@example.com"

    assert by_us(address) == by_the_library(address)


@pytest.mark.parametrize("name", ["local", "invalid", "test", "localhost"])
def test_an_address_that_no_mail_reaches_still_names_a_person(name: str) -> None:
    assert normalise_email(f"Ada@corp.{name}") == f"ada@corp.{name}"


@pytest.mark.parametrize(
    "text", ["a." * 500 + "@", "a@" + "a." * 500, "a@" + "a-" * 500, "a@" + "-" * 1000]
)
def test_no_text_takes_long_to_refuse(text: str) -> None:
    began = time.thread_time()  # of the processor: others may have it for as long as they like

    with pytest.raises(ContactError):
        normalise_email(text)

    assert time.thread_time() - began < 0.25


@given(st.text(max_size=64))
def test_any_text_is_a_phone_number_or_refused(text: str) -> None:
    try:
        number = normalise_phone(text)
    except ContactError:
        return

    assert number.removeprefix("+").isdecimal()
    assert number.isascii()

"""Which spellings of an identifier name the same customer, and which never do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_privacy.identifiers import (
    InvalidIdentifierError,
    is_placeholder,
    normalise,
    strongest,
)

SAME = [
    ("email", "Ada@EXAMPLE.com", "ada@example.com"),
    ("email", "  ada@example.com\t", "ada@example.com"),
    ("email", "ada@xn--bcher-kva.de", "ada@bücher.de"),
    ("email", "ada@BÜCHER.de", "ada@bücher.de"),
    ("email", "ada@b\u0075\u0308cher.de", "ada@bücher.de"),
    ("email", "Jose\u0301@example.com", "josé@example.com"),
    ("email", "ada@example\uff0ecom", "ada@example.com"),
    ("email", "Ada+News@example.com", "ada+news@example.com"),
    ("email", "ada@corp.local", "ada@corp.local"),
    ("phone", "+49 (0)30 123-456", "+4930123456"),
    ("phone", "0049 30 123456", "+4930123456"),
    ("phone", "tel:+49-30-123456", "+4930123456"),
    ("phone", "\uff0b\uff14\uff1930123456", "+4930123456"),
    ("phone", "+44 (0)20 7946 0958", "+442079460958"),
    ("phone", "+39 06 6982 1234", "+390669821234"),
    ("phone", "+1 (555) 123-4567", "+15551234567"),
    ("phone", "(555) 123-4567", "5551234567"),
    ("phone", "\u0660\u0663\u0660 \u0661\u0662\u0663", "030123"),
    ("phone", "+999 123 456 789", "+999123456789"),
    ("phone", 493012345678, "493012345678"),
    ("user_id", 97, "97"),
    ("user_id", -97, "-97"),
    ("user_id", " u-97\n", "u-97"),
    ("user_id", "U-97", "U-97"),
    ("user_id", "Zoe\u0308", "Zoë"),
    ("user_id", "👩‍🚀", "👩‍🚀"),
    ("loyalty_card", "  0042 ", "0042"),
    ("anonymous_id", "9B2D5B1E", "9B2D5B1E"),
]

DIFFERENT = [
    ("email", "ada@example.com", "\u0430da@example.com"),
    ("email", "ada@straße.de", "ada@strasse.de"),
    ("email", "ada@example.com", "ada+news@example.com"),
    ("email", "a.da@example.com", "ada@example.com"),
    ("phone", "+49 30 123456", "030 123456"),
    ("user_id", "u-97", "U-97"),
    ("user_id", "u-97", "u\u200b-97"),
    ("user_id", "ﬁ-1", "fi-1"),
    ("user_id", "097", 97),
]

REFUSED = [
    ("email", "ada"),
    ("email", "ada@localhost"),
    ("email", "ada@@example.com"),
    ("email", "ada\u200b@example.com"),
    ("email", "ada@exa\u202emple.com"),
    ("email", "Ada <ada@example.com>"),
    ("email", '"ada l"@example.com'),
    ("email", "ada@[192.0.2.1]"),
    ("email", "ada@ex_ample.com"),
    ("email", f"{'a' * 250}@example.com"),
    ("email", f"ada@{'a' * 64}.com"),
    ("phone", "1-800-FLOWERS"),
    ("phone", "+49 30 123456 ext. 5"),
    ("phone", "+"),
    ("phone", "12"),
    ("phone", "+4912345678901234567"),
    ("user_id", "x" * 257),
    ("user_id", "x" * 100_000),
    ("user_id", "a\x00b"),
    ("user_id", "a\r\nb"),
    ("user_id", "\ud800"),
    ("user_id", True),
    ("user_id", 9.7),
    ("user_id", 2**63),
    ("user_id", ["u-97"]),
    ("order", "O-1"),
    ("ticket", "T-1"),
    ("User Id", "u-97"),
    ("x" * 33, "u-97"),
    ("ada@example.com", "u-97"),
    ("", "u-97"),
]


@pytest.mark.parametrize(("kind", "value", "spelling"), SAME)
def test_one_customer_has_one_spelling(kind: str, value: object, spelling: str) -> None:
    assert normalise(kind, value) == spelling


@pytest.mark.parametrize(("kind", "one", "another"), DIFFERENT)
def test_what_only_looks_alike_stays_two_customers(kind: str, one: object, another: object) -> None:
    assert normalise(kind, one) != normalise(kind, another)


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_what_cannot_name_a_person_is_refused(kind: str, value: object) -> None:
    with pytest.raises(InvalidIdentifierError) as refusal:
        normalise(kind, value)

    assert refusal.value.kind == kind
    assert refusal.value.reason


@pytest.mark.parametrize(("kind", "value"), [("email", "ada lovelace"), ("phone", "ada-phone")])
def test_a_refusal_does_not_repeat_what_may_be_personal(kind: str, value: str) -> None:
    with pytest.raises(InvalidIdentifierError) as refusal:
        normalise(kind, value)

    assert "ada" not in str(refusal.value)


def test_a_number_of_any_size_is_refused_and_no_placeholder() -> None:
    endless = 10**5000

    assert not is_placeholder("user_id", endless)
    with pytest.raises(InvalidIdentifierError):
        normalise("user_id", endless)


def test_a_malformed_kind_is_not_repeated_either() -> None:
    with pytest.raises(InvalidIdentifierError) as refusal:
        normalise("ada@example.com", "x")

    assert "ada" not in str(refusal.value)


@given(st.sampled_from(["user_id", "email", "phone", "crm"]), st.text(max_size=300))
def test_a_normalised_identifier_is_its_own_spelling(kind: str, value: str) -> None:
    try:
        once = normalise(kind, value)
    except InvalidIdentifierError:
        return

    assert normalise(kind, once) == once
    assert len(once) <= 256
    once.encode()


@given(
    st.text(alphabet="aA.éÉßẞİıſ+_'\u0301", min_size=1, max_size=12),
    st.sampled_from(["example.com", "BÜCHER.de", "xn--bcher-kva.DE", "straße.de", "日本.jp"]),
)
def test_an_international_address_is_its_own_spelling_too(mailbox: str, domain: str) -> None:
    try:
        once = normalise("email", f"{mailbox}@{domain}")
    except InvalidIdentifierError:
        return

    assert normalise("email", once) == once


@pytest.mark.parametrize(
    ("kinds", "winner"),
    [
        (["anonymous_id", "email", "user_id", "crm"], "user_id"),
        (["email", "crm", "phone"], "crm"),
        (["phone", "email"], "email"),
        (["anonymous_id", "phone"], "phone"),
        (["shop", "crm"], "crm"),
        (["anonymous_id"], "anonymous_id"),
    ],
)
def test_an_event_belongs_to_its_strongest_identifier(kinds: list[str], winner: str) -> None:
    assert strongest(kinds) == winner
    assert strongest(reversed(kinds)) == winner


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("user_id", None),
        ("user_id", ""),
        ("user_id", "   "),
        ("user_id", "null"),
        ("user_id", "NULL"),
        ("user_id", '"undefined"'),
        ("user_id", "[object Object]"),
        ("user_id", 0),
        ("anonymous_id", "00000000-0000-0000-0000-000000000000"),
        ("anonymous_id", "anonymous"),
        ("email", "test@test.com"),
        ("email", "None@none.de"),
        ("email", "Test@Example.COM"),
        ("email", "test@mail.example.org"),
        ("email", "noemail@shop.invalid"),
        ("email", "unknown@localhost"),
        ("phone", "000 000 0000"),
        ("phone", "+1 111 111 1111"),
    ],
)
def test_nobody_is_called_by_a_placeholder(kind: str, value: object) -> None:
    assert is_placeholder(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("user_id", "test"),
        ("user_id", "nullah"),
        ("user_id", 10),
        ("email", "test@acme.de"),
        ("email", "test@example.com.de"),
        ("email", "test@myexample.com"),
        ("email", "ada@example.com"),
        ("email", "ada@test.com"),
        ("email", "none@none-hotel.de"),
        ("phone", "+1234567890"),
    ],
)
def test_a_name_that_only_resembles_a_placeholder_counts(kind: str, value: object) -> None:
    assert not is_placeholder(kind, value)


def test_a_placeholder_that_was_let_through_does_not_fail_the_event() -> None:
    assert normalise("email", " null ") == "null"

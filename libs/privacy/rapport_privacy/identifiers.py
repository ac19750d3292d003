"""Which names a publisher may call a customer by, and the one spelling that counts as the same.

Pure: no clock, no database. What is not equal after `normalise` is another person to the keyring;
that two of them are one human being is for the profile to find out.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final
from unicodedata import category, normalize

from rapport_privacy.contact import ContactError, normalise_email, normalise_phone

USER_ID: Final = "user_id"
EMAIL: Final = "email"
PHONE: Final = "phone"
ANONYMOUS_ID: Final = "anonymous_id"

EXTERNAL: Final = 1
STRENGTH: Final = {USER_ID: 0, EMAIL: 2, PHONE: 3, ANONYMOUS_ID: 4}
"""Rank of the kinds that we know, the strongest first; any other kind is `EXTERNAL`."""

THINGS: Final = frozenset({"order", "ticket", "call", "survey", "subject"})
"""Kinds that look up a thing rather than name a person; as an identifier they are refused."""

MAX_LENGTH: Final = 256

_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)

# fmt: off
_PLACEHOLDERS: Final = frozenset({
    "", "0", "-1", "-", "anonymous", "guest", "id", "email", "distinctid", "distinct_id",
    "not_authenticated", "null", "nil", "none", "nan", "n/a", "#n/a", "undefined", "unknown",
    "true", "false", "<null>", "(null)", "[null]", "(none)", "<nil>",
    "00000000-0000-0000-0000-000000000000", "not set", "(not set)", "[object object]"
})
# fmt: on
"""What broken clients send instead of an identifier. One person per word would be everybody.

Source: the illegal ids of PostHog's ingestion, the `null` and `undefined` of untyped clients, and
the all-zero advertising id of devices that refuse tracking. Only words that nobody is called.
"""

# fmt: off
_PLACEHOLDER_MAILBOXES: Final = frozenset({
    "test", "asdf", "email", "mail", "no", "none", "null", "noemail", "nomail", "undefined",
    "unknown", "anonymous"
})
# fmt: on

_RESERVED_DOMAINS: Final = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|net|org)|example|test|invalid|localhost)\.?"
)
"""Domains in which nobody can have a mailbox. Source: RFC 2606 and RFC 6761."""


class InvalidIdentifierError(ValueError):
    """An identifier that cannot name a person. Never repeats the value: it may be personal."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind = kind
        self.reason = reason
        super().__init__(f"{kind}: {reason}" if _KIND.fullmatch(kind) else reason)


def strength(kind: str) -> tuple[int, str]:
    """Sorts kinds from the strongest to the weakest; external ids among themselves by name."""
    return (STRENGTH.get(kind, EXTERNAL), kind)


def strongest(kinds: Iterable[str]) -> str:
    """The kind whose subject an event belongs to. ValueError when there is none."""
    return min(kinds, key=strength)


def is_placeholder(kind: str, value: object) -> bool:
    """Whether the value, as the publisher sent it, stands for "nobody" and is to be left out."""
    if value is None:
        return True
    if not isinstance(value, str | int | float) or (isinstance(value, int) and value not in _INT64):
        return False
    text = str(value).strip().strip("\"'").strip().casefold()
    if text in _PLACEHOLDERS:
        return True
    if kind == EMAIL:
        return _is_placeholder_email(text)
    return kind == PHONE and _is_placeholder_phone(text)


def normalise(kind: str, value: object) -> str:
    """The one spelling of an identifier.

    `email`: valid by syntax (no DNS), NFC, mailbox casefolded, domain in its Unicode form.
    `phone`: E.164 when written internationally (`+…` or `00…`), else its digits.
    Others: NFC, without white space around, 1 to 256 characters; whole numbers become text.
    Placeholders (`is_placeholder`) come back as they are. Raises InvalidIdentifierError.
    """
    _refuse_kind(kind)
    text = _text_of(kind, value)
    if is_placeholder(kind, text):
        return text
    try:
        return _NORMALISE.get(kind, _as_it_is)(text)
    except ContactError as error:
        raise InvalidIdentifierError(kind, str(error)) from None


def _refuse_kind(kind: str) -> None:
    if not _KIND.fullmatch(kind):
        reason = "a kind of identifier is 1 to 32 characters of a-z, 0-9 and _, a letter first"
        raise InvalidIdentifierError(kind, reason)
    if kind in THINGS:
        raise InvalidIdentifierError(kind, "names a thing, not a person")


def _text_of(kind: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return str(value)
    if not isinstance(value, str):
        raise InvalidIdentifierError(kind, "must be text or a whole number of at most 64 bits")
    # NFC can make text at most three times as long or short.
    if len(value) > 4 * MAX_LENGTH:
        raise InvalidIdentifierError(kind, f"is longer than {MAX_LENGTH} characters")
    text = normalize("NFC", value).strip()
    if len(text) > MAX_LENGTH:
        raise InvalidIdentifierError(kind, f"is longer than {MAX_LENGTH} characters")
    if any(category(char) in {"Cc", "Cs"} for char in text):
        raise InvalidIdentifierError(kind, "contains control characters or broken Unicode")
    return text


def _as_it_is(text: str) -> str:
    return text


_NORMALISE: Final[dict[str, Callable[[str], str]]] = {
    EMAIL: normalise_email,
    PHONE: normalise_phone,
}


def _is_placeholder_email(text: str) -> bool:
    """`test@test.com`, `none@none.de`, `test@example.com`; never `test@` at a real domain.

    A company's `test@` may well be a person, so blocking that is for those who run the place.
    """
    mailbox, _, domain = text.partition("@")
    if mailbox not in _PLACEHOLDER_MAILBOXES:
        return False
    label = domain.partition(".")[0]
    return label in _PLACEHOLDER_MAILBOXES or _RESERVED_DOMAINS.fullmatch(domain) is not None


def _is_placeholder_phone(text: str) -> bool:
    digits = "".join(char for char in text if char.isdecimal())
    return len(set(digits)) == 1

"""How a caller names a customer: the `{ref}` of a URL, and the criteria of a search."""

import re
from typing import Final, NamedTuple
from unicodedata import category
from uuid import UUID

from rapport_privacy.identifiers import InvalidIdentifierError, is_placeholder, normalise
from rapport_runtime.http.problems import ApiError, FieldError

SUBJECT: Final = "subject"
THINGS: Final = frozenset({"order", "ticket", "call"})
"""Kinds in the `reference` table, by which the customer they belong to is found."""

_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_LONGEST_THING: Final = 256
_CONTROL: Final = frozenset({"Cc", "Cs"})


class Ref(NamedTuple):
    """A customer as the caller knows them; `value` is in the spelling that the keyring keeps."""

    kind: str
    value: str

    @property
    def is_thing(self) -> bool:
        """Whether it names an order, ticket or call of the customer, not the customer."""
        return self.kind in THINGS

    @property
    def is_subject(self) -> bool:
        return self.kind == SUBJECT

    @property
    def is_identifier(self) -> bool:
        return not self.is_thing and not self.is_subject


class MalformedRefError(ApiError):
    """What was given cannot name a customer. Never repeats the value: it may be personal."""

    status_code = 422

    def __init__(self, reason: str, *, name: str, place: str) -> None:
        super().__init__(
            f"{reason}; name a customer by subject id, or as kind:value, "
            "for example email:ada@example.com or order:O-2077",
            errors=[FieldError(f"/{name}", reason, "malformed_ref", place)],
        )


def parse_ref(text: str, *, name: str = "ref", place: str = "path") -> Ref:
    """A subject id, or `kind:value`. Raises MalformedRefError."""
    if _UUID.fullmatch(text):
        return Ref(SUBJECT, text.lower())
    kind, colon, value = text.partition(":")
    if not colon or not _KIND.fullmatch(kind):
        raise MalformedRefError("this is no subject id and no kind:value", name=name, place=place)
    return criterion(kind, value, name=name, place=place)


def criterion(kind: str, value: str, *, name: str, place: str = "query") -> Ref:
    """One kind and value. Raises MalformedRefError."""
    if kind == SUBJECT:
        if not _UUID.fullmatch(value):
            raise MalformedRefError("a subject id is a UUID", name=name, place=place)
        return Ref(kind, str(UUID(value)))
    if kind in THINGS:
        return Ref(kind, _thing(kind, value, name=name, place=place))
    # In a query string a bare `+` is a space: `?phone=+49…` is what people type.
    given = f"+{value[1:]}" if kind == "phone" and value.startswith(" ") else value
    try:
        spelled = normalise(kind, given)
    except InvalidIdentifierError as error:
        raise MalformedRefError(f"{kind} {error.reason}", name=name, place=place) from None
    if is_placeholder(kind, spelled):
        raise MalformedRefError(f"this {kind} stands for nobody", name=name, place=place)
    return Ref(kind, spelled)


def _thing(kind: str, value: str, *, name: str, place: str) -> str:
    printable = not any(category(char) in _CONTROL for char in value)
    if not (1 <= len(value) <= _LONGEST_THING and printable):
        reason = f"the id of a {kind} has 1 to {_LONGEST_THING} printable characters"
        raise MalformedRefError(reason, name=name, place=place)
    return value

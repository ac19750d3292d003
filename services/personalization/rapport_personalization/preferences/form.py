"""From what a browser sends to choices, and what it sent kept as it was typed."""

import re
from collections.abc import Mapping, Sequence
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Final, NamedTuple

from rapport_runtime.pages import UnreadableFormError, parse

from rapport_personalization.domain.preferences import (
    NO,
    PREFERENCES,
    QUIET,
    YES,
    ZONE,
    Choices,
)
from rapport_personalization.domain.quiet import is_zone

WAS: Final = "was-"
"""Before the name of a choice: how the page showed it."""

STOP: Final = "stop"
FROM, UNTIL = "quiet_from", "quiet_until"

_ALLOW: Final = "allow."
_ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")
MOST_FIELDS: Final = 100
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
_MULTIPART: Final = "multipart/form-data"
_LONGEST: Final = 64


class Filled(NamedTuple):
    """A form that was sent. `flaws`: names of choices that cannot be."""

    before: Choices
    wished: Choices
    flaws: tuple[str, ...]


def is_one_click(content_type: str, body: bytes) -> bool:
    """What a mail program sends when somebody unsubscribes in it (RFC 8058), in either form."""
    if content_type.partition(";")[0].strip().lower() != _MULTIPART:
        try:
            return parse(body, MOST_FIELDS) == {_ONE_CLICK[0]: [_ONE_CLICK[1]]}
        except UnreadableFormError:
            return False
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    # The newer policies raise IndexError on some headers that anybody may send (`; a*0*`).
    parts = BytesParser(policy=compat32).parsebytes(head + body).get_payload()
    said = [
        # As bytes: a part may name a character set that there is not.
        (one.get_param("name", header="content-disposition"), one.get_payload(decode=True))
        for one in (parts if isinstance(parts, list) else ())
        if isinstance(one, Message) and not one.is_multipart()
    ]
    return said == [(_ONE_CLICK[0], _ONE_CLICK[1].encode())]


def fill(fields: Mapping[str, Sequence[str]], offered: Mapping[str, Sequence[str]]) -> Filled:
    """Only what the page showed counts. `offered`: what there is to choose from, by name.

    Raises UnreadableFormError.
    """
    sent = {name: values[0][:_LONGEST] for name, values in fields.items() if len(values) == 1}
    before = {name.removeprefix(WAS): value for name, value in sent.items() if name.startswith(WAS)}
    if not before:
        raise UnreadableFormError
    wished = {
        name: (YES if sent.get(name) == YES else NO) if name.startswith(_ALLOW) else sent[name]
        for name in before
        if name.startswith(_ALLOW) or name in sent
    }
    if QUIET in before:
        wished[QUIET] = f"{sent.get(FROM, '')}-{sent.get(UNTIL, '')}"
    return Filled(before, wished, tuple(_flaws(before, wished, offered)))


def _flaws(before: Choices, wished: Choices, offered: Mapping[str, Sequence[str]]) -> list[str]:
    """What was left as it is may be as odd as it likes."""
    return [
        name
        for name in PREFERENCES
        if name in wished and wished[name] != before[name] and not _is_good(name, wished, offered)
    ]


def _is_good(name: str, wished: Choices, offered: Mapping[str, Sequence[str]]) -> bool:
    value = wished[name]
    if name == QUIET:
        return _HOURS.fullmatch(value) is not None
    return is_zone(value) if name == ZONE else value in offered[name]

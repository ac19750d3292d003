"""What a local stack has written to customers, and the links in it."""

import re
from pathlib import Path
from typing import Final, NamedTuple

import orjson

_LINK: Final = re.compile(r"https?://[^\s\"<>]+/s/[A-Za-z0-9_-]+")
_INVITATION: Final = "survey_invitation"


class Letter(NamedTuple):
    """`to`: an address."""

    to: str
    template: str
    subject: str
    text: str


class Invitation(NamedTuple):
    """`to`: an address. `link`: whoever has it may answer, once."""

    to: str
    link: str


def read_letters(file: Path) -> list[Letter]:
    """Those that were sent so far, oldest first; the last line may still be in the making."""
    if not file.exists():
        return []
    written = (orjson.loads(line) for line in file.read_bytes().split(b"\n")[:-1])
    return [Letter(*(one[name] or "" for name in Letter._fields)) for one in written]


def read_invitations(file: Path) -> list[Invitation]:
    """Those that were sent so far, oldest first."""
    return [
        Invitation(letter.to, found[0])
        for letter in read_letters(file)
        if letter.template == _INVITATION and (found := _LINK.search(letter.text)) is not None
    ]

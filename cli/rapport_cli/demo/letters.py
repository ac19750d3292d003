"""What a local stack has written to customers, and the links in it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

_LINK: Final = re.compile(r"https?://[^\s\"<>]+/s/[A-Za-z0-9_-]+")
_INVITATION: Final = "survey_invitation"


class Invitation(NamedTuple):
    """`to`: an address. `link`: whoever has it may answer, once."""

    to: str
    link: str


def read_invitations(file: Path) -> list[Invitation]:
    """Those that were sent so far, oldest first; the last line may still be in the making."""
    if not file.exists():
        return []
    lines = file.read_bytes().split(b"\n")[:-1]
    return list(_invitations(orjson.loads(line) for line in lines))


def _invitations(letters: Iterator[dict[str, Any]]) -> Iterator[Invitation]:
    for letter in letters:
        found = _LINK.search(letter["text"] or "")
        if letter["template"] == _INVITATION and found is not None:
            yield Invitation(letter["to"], found[0])

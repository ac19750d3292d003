"""The README as the tests read it."""

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)

FROM_A_CHECKOUT = ("make demo\n", "make test\n")
"""Blocks that start everything anew: the demo and the whole suite, which this is a part of."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    code: str


def blocks(page: Path = README) -> list[Block]:
    return [Block(language, code) for language, code in _FENCE.findall(page.read_text("utf-8"))]


def examples(page: Path = README) -> list[Block]:
    """The blocks that a reader types while the demo runs, in order."""
    return [
        block
        for block in blocks(page)
        if block.language in {"sh", "python"} and block.code not in FROM_A_CHECKOUT
    ]


def dead_links(page: Path) -> list[str]:
    """Relative links of a page that lead nowhere."""
    links = (link for link in _LINK.findall(page.read_text("utf-8")) if "://" not in link)
    return [link for link in links if not (page.parent / link).exists()]


def headings() -> list[str]:
    return _HEADING.findall(README.read_text("utf-8"))

"""The README promises nothing that is not there; `tests/e2e/test_readme.py` types its examples."""

import re
from pathlib import Path

import pytest

from tests.support.readme import FROM_A_CHECKOUT, README, blocks, dead_links, headings

ROOT = README.parent


def test_the_readme_goes_from_trying_to_sending_to_reading_to_testing() -> None:
    assert headings() == [
        "Try it",
        "What just happened",
        "Send your own event",
        "Read it back",
        "Test it",
        "Docs",
        "Limits",
        "How fast, and compared to what",
        "Licence",
    ]


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) < 200


@pytest.mark.parametrize(
    "page", [README, *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_every_block_is_a_picture_or_typed_by_a_test() -> None:
    assert {block.language for block in blocks()} == {"mermaid", "sh", "python"}


def test_what_make_is_asked_for_is_a_target() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    for command in FROM_A_CHECKOUT:
        assert command.split()[1] in targets


def test_no_figure_is_quoted_that_no_benchmark_measured() -> None:
    figure = re.compile(r"\d[\d,.]*(?= (?:events|requests|ms|MB|GB)\b)")
    measured = "".join(file.read_text("utf-8") for file in results())

    quoted = figure.findall(README.read_text("utf-8"))

    assert [number for number in quoted if number.replace(",", "") not in measured] == []


def results() -> list[Path]:
    return sorted((ROOT / "bench" / "results").glob("*"))

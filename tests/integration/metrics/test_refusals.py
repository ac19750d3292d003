"""What the API does not answer, and how it says so."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
import pytest
from rapport_runtime.http.consistency import encode_token

from tests.support.fixtures import MakeDatabase
from tests.support.metrics_house import Callers, House, open_house, prepare_metrics

ROUTES = [
    "/v1/kpis", "/v1/kpis/nps", "/v1/kpis/nps/events", "/v1/restatements", "/v1/targets",
    "/v1/alerts", "/v1/stream",
]  # fmt: skip
INTERACTIONS = ("rapport.interactions.v1", 0)


@pytest.fixture(scope="module")
async def house(new_database: MakeDatabase, callers: Callers) -> AsyncIterator[House]:
    async with open_house(await new_database(prepare_metrics), callers) as opened:
        yield opened


def problem(answer: httpx2.Response) -> Mapping[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    document: Mapping[str, Any] = answer.json()
    assert document["status"] == answer.status_code
    assert document["type"] == f"/docs/errors#{document['code']}"
    return document


@pytest.mark.parametrize("route", ROUTES)
async def test_nothing_is_read_without_a_key_or_without_the_scope(house: House, route: str) -> None:
    assert problem(await house.get(route, None))["status"] == 401
    refused = problem(await house.get(route, "agent"))
    assert (refused["status"], refused["code"]) == (403, "missing_scope")


@pytest.mark.parametrize(
    ("given", "meant"), [("npss", "nps"), ("first_reply", None), ("ttr-full", "ttr_full")]
)
async def test_an_unknown_kpi_is_refused_with_the_one_that_was_meant(
    house: House, given: str, meant: str | None
) -> None:
    for route in (f"/v1/kpis/{given}", f"/v1/kpis/{given}/events"):
        refused = problem(await house.get(route))

        assert (refused["status"], refused["code"]) == (422, "unknown_kpi")
        assert refused["errors"][0]["pointer"] == "/kpi"
        hint = "GET /v1/kpis lists" if meant is None else f"did you mean {meant}?"
        assert hint in refused["detail"]


@pytest.mark.parametrize(
    ("query", "pointer", "says"),
    [
        ({"start": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "/from", "at or after"),
        ({"start": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "/from", "at or after"),
        ({"start": "2026-01-01T00:30:00Z"}, "/from", "full hour"),
        ({"to": "2026-01-01T00:00:00+05:30"}, "/to", "full hour"),
        ({"start": "1969-12-31T23:00:00Z"}, "/from", "1970"),
        ({"start": "0001-01-01T00:00:00Z"}, "/from", "1970"),
        ({"to": "9999-12-31T23:00:00Z"}, "/to", "2200"),
        ({"as_of": "9999-12-31T23:00:00-14:00"}, "/as_of", "2200"),
        ({"start": "2020-01-01T00:00:00Z", "grain": "hour"}, "/grain", "coarser grain"),
        ({"start": "1970-01-01T00:00:00Z", "grain": "day"}, "/grain", "coarser grain"),
    ],
)
async def test_a_span_that_makes_no_sense_is_refused_with_its_field(
    house: House, query: dict[str, str], pointer: str, says: str
) -> None:
    refused = problem(await house.get("/v1/kpis/nps", **query))

    assert (refused["status"], refused["code"]) == (422, "bad_window")
    assert refused["errors"][0]["pointer"] == pointer
    assert says in refused["detail"]


@pytest.mark.parametrize(
    ("kpi", "query", "pointer", "says"),
    [
        ("nps", {"group_by": "channel,team,agent"}, "/group_by", "at most two"),
        ("nps", {"group_by": "chanel"}, "/group_by", "did you mean channel?"),
        ("nps", {"group_by": "priority"}, "/group_by", "it has channel, team, agent"),
        ("ccr", {"group_by": "channel"}, "/group_by", "has no dimensions"),
        ("nps", {"currency": "EUR"}, "/currency", "no such dimension"),
    ],
)
async def test_a_breakdown_that_is_not_there_is_refused_with_those_that_are(
    house: House, kpi: str, query: dict[str, str], pointer: str, says: str
) -> None:
    refused = problem(await house.get(f"/v1/kpis/{kpi}", **query))

    assert (refused["status"], refused["code"]) == (422, "bad_dimension")
    assert refused["errors"][0]["pointer"] == pointer
    assert says in refused["detail"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"groupby": "channel"}, "/groupby"),
        ({"grain": "fortnight"}, "/grain"),
        ({"start": "yesterday"}, "/from"),
        ({"to": "2026-01-01T00:00:00"}, "/to"),
        ({"window_days": "0"}, "/window_days"),
        ({"window_days": "ninety"}, "/window_days"),
        ({"channel": "x" * 300}, "/channel"),
    ],
)
async def test_a_query_that_the_route_does_not_take_is_refused_with_its_field(
    house: House, query: dict[str, str], pointer: str
) -> None:
    refused = problem(await house.get("/v1/kpis/nps", **query))

    assert (refused["status"], refused["code"]) == (422, "validation_failed")
    assert refused["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("nasty", ["\x00", "'; DROP TABLE cell; --", "%", "日本", "\U0001f600"])
async def test_a_filter_is_a_value_whatever_is_in_it(house: House, nasty: str) -> None:
    answer = await house.get("/v1/kpis/nps", channel=nasty)

    assert answer.status_code == (400 if "\x00" in nasty else 200), answer.text


async def test_what_is_not_counted_yet_is_425_and_says_how_far_it_is(house: House) -> None:
    token = encode_token({INTERACTIONS: 10})
    headers = {
        "authorization": f"Bearer {house.callers.keys['analyst']}",
        "consistency-token": token,
        "prefer": "wait=0",
    }

    refused = problem(await house.client.get("/v1/kpis/nps", headers=headers))

    assert (refused["status"], refused["code"]) == (425, "not_yet_visible")
    assert refused["position"] == {}
    headers["consistency-token"] = "nonsense"
    malformed = problem(await house.client.get("/v1/kpis/nps", headers=headers))
    assert malformed["code"] == "consistency_token_malformed"


async def test_a_cursor_of_another_question_is_refused(house: House) -> None:
    for cursor in ("nonsense", "e30"):
        refused = problem(await house.get("/v1/kpis/nps/events", cursor=cursor))

        assert refused["status"] in {400, 422}


async def test_a_long_span_is_one_number(house: House) -> None:
    span = {"start": "1970-01-01T00:00:00Z", "to": "2200-01-01T00:00:00Z"}

    [point] = await house.series("contacts", **span)

    assert (point["den"], point["state"]) == (0, "open")
    assert len(await house.series("contacts", start="1990-01-01T00:00:00Z", grain="month")) > 400

"""An agent finds two customers who are one, makes them one, and takes it back.

All the way: events by HTTP into ingest, the broker, the worker, the profile API, and back again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from rapport_cli.stackfile import read_stack

from tests.support.demo import DemoStack
from tests.support.identity_work import Two, two_names, without_meta

Document = dict[str, Any]


class Desk:
    """An agent's frontend: it reads the profile API and writes to ingest."""

    def __init__(self, stack: Document) -> None:
        self._stack = stack
        self._client = httpx2.Client(timeout=20, trust_env=False)
        self.token: str | None = None
        """Of what was sent last: every read includes it."""

    def send(self, role: str, *events: Document) -> None:
        answer = self._client.post(
            f"{self._stack['ingest']}/v1/events", json=list(events), headers=self._headers(role)
        )
        assert answer.status_code == 200, answer.text
        assert (answer.json()["accepted"], answer.json()["rejected"]) == (len(events), [])
        self.token = answer.json()["consistency_token"]

    def read(self, path: str, role: str = "agent") -> Document:
        return self._told(self._client.get(self._url(path), headers=self._headers(role)))

    def preview(self, *refs: str) -> Document:
        body = {"profiles": list(refs)}
        url = self._url("/v1/profiles:preview-merge")
        return self._told(self._client.post(url, json=body, headers=self._headers("agent")))

    def person(self, user: str) -> Document:
        return without_meta(self.read(f"/v1/profiles/user_id:{user}"))

    def suggestion(self, *people: Document) -> Document | None:
        """The one about these two; the stack has other customers."""
        wanted = {person["subject"] for person in people}
        path = "/v1/merge-suggestions?limit=100"
        while True:
            page = self.read(path)
            for found in page["suggestions"]:
                if {side["subject"] for side in found["sides"]} == wanted:
                    return dict(found)
            if page["next_cursor"] is None:
                return None
            path = f"/v1/merge-suggestions?limit=100&cursor={page['next_cursor']}"

    def close(self) -> None:
        self._client.close()

    def _url(self, path: str) -> str:
        return f"{self._stack['profile']}{path}"

    def _headers(self, role: str) -> dict[str, str]:
        headers = {"authorization": f"Bearer {self._stack['keys'][role]}", "prefer": "wait=10"}
        return headers if self.token is None else headers | {"consistency-token": self.token}

    def _told(self, answer: httpx2.Response) -> Document:
        assert answer.status_code == 200, answer.text
        document: Document = answer.json()
        return document


def event(type_: str, data: Document, days_ago: float = 0.0) -> Document:
    """What a frontend or a shop sends; `data` may be one that an answer suggests."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return {
        "specversion": "1.0",
        "id": f"e2e-{uuid4().hex}",
        "source": "/desk/eve",
        "type": type_,
        "time": at.isoformat(),
        "data": data,
    }


@pytest.fixture
def two(demo_stack: DemoStack) -> Iterator[tuple[Desk, Two]]:
    """Two accounts with a history each, made with one address."""
    desk, two = Desk(read_stack(demo_stack.file)), two_names()
    for user, plan, days_ago in ((two.one, "free", 9.0), (two.other, "pro", 4.0)):
        who = {"user_id": user}
        desk.send(
            "publisher",
            event(
                "customer.identified.v1",
                {
                    "identifiers": {**who, "email": two.email},
                    "traits": {"plan": plan, "city": "Rome"},
                },
                days_ago,
            ),
            event(
                "order.placed.v1",
                {"identifiers": who, "order": uuid4().hex, "amount": 4990, "currency": "EUR"},
                days_ago - 1,
            ),
            event(
                "ticket.created.v1",
                {"identifiers": who, "ticket": uuid4().hex, "topic": "delivery"},
                days_ago - 2,
            ),
        )
    yield desk, two
    desk.close()


def test_an_agent_accepts_a_suggestion_and_takes_it_back_and_nothing_is_left_of_it(
    two: tuple[Desk, Two],
) -> None:
    desk, (one, other, email) = two
    before = [desk.person(one), desk.person(other)]
    suggested = desk.suggestion(*before)
    assert suggested is not None
    shown = desk.preview(f"user_id:{one}", f"user_id:{other}")
    merge = event(suggested["accept"]["type"], suggested["accept"]["data"] | {"actor": "eve"})

    desk.send("agent", merge)
    merged = desk.person(one)

    assert suggested["reason"] == "user_id: 2 > 1"
    assert merged == without_meta(shown["result"])
    assert merged["orders"]["count"] == 2
    assert merged["traits"]["plan"]["value"] == "pro"
    assert desk.person(other) == merged
    assert without_meta(desk.read(f"/v1/profiles/email:{email}")) == merged
    assert desk.suggestion(*before) is None

    links = desk.read(f"/v1/profiles/user_id:{other}/links")["links"]
    [said] = [link for link in links if link["explicit"]]
    assert said["merge"] == {"event_id": merge["id"], "source": "/desk/eve"}
    desk.send("agent", event(said["undo"]["type"], said["undo"]["data"] | {"actor": "eve"}))

    assert [desk.person(one), desk.person(other)] == before
    again = desk.suggestion(*before)
    assert again is not None
    assert again["merge"] == suggested["merge"]


def test_an_agent_dismisses_a_suggestion_for_good(two: tuple[Desk, Two]) -> None:
    desk, (one, other, email) = two
    before = [desk.person(one), desk.person(other)]
    suggested = desk.suggestion(*before)
    assert suggested is not None

    desk.send("agent", event(suggested["dismiss"]["type"], suggested["dismiss"]["data"]))
    seen_again = {"identifiers": {"user_id": other, "email": email}, "page": "home"}
    desk.send("publisher", event("page.viewed.v1", seen_again))

    assert desk.suggestion(*before) is None
    links = desk.read(f"/v1/profiles/user_id:{other}/links")["links"]
    assert [link["state"] for link in links] == ["cut"]
    assert desk.person(one) == before[0]

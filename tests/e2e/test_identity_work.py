"""An agent finds two customers who are one, makes them one, and takes it back.

All the way: events by HTTP into ingest, the broker, the worker, the profile API, and back again.
"""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from rapport_cli.stackfile import read_stack

from tests.support.demo import DemoStack
from tests.support.frontend import Desk, event
from tests.support.identity_work import Two, two_names, without_meta


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

"""Feedback from the question to the closed follow-up, through processes, broker and browsers."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Final
from uuid import uuid4

import pytest
from rapport_cli.stackfile import read_stack

from tests.support.demo import DemoStack
from tests.support.feedback_front import Document, Front, until
from tests.support.frontend import Desk, event

_CUSTOMERS: Final = 5
_SOON: Final = 1.0
"""Seconds from the thank-you to the 360° view and the KPI, in the median."""
_CLOSED: Final = "Follow-up on feedback closed"
_SLOWER: Final = 4.0 if "CI" in os.environ else 1.0


@dataclass(frozen=True)
class House:
    """A stack, what asks in it, and who writes to it. `team`: this test's own."""

    desk: Desk
    front: Front
    team: str

    def customer(self) -> str:
        """The address of somebody whom nobody has heard of."""
        return f"{uuid4().hex}@example.com"

    def say(self, type_: str, who: Document, **data: object) -> None:
        # A second of a server whose clock is a little ahead is before the survey went live.
        told = event(f"{type_}.v1", {"identifiers": who, **data})
        told["time"] = (datetime.now(UTC) + timedelta(milliseconds=200)).isoformat()
        self.desk.send("publisher", told)

    def solve(self, address: str) -> None:
        """Somebody asks, and is helped."""
        who = {"email": address}
        ticket = f"T-{uuid4().hex}"
        self.say("ticket.created", who, ticket=ticket, topic="delivery")
        self.say("ticket.resolved", who, ticket=ticket, agent="eve", team=self.team)

    def deliver(self, address: str) -> None:
        self.say("order.delivered", {"email": address}, order=f"O-{uuid4().hex}")

    def part(self, address: str, name: str) -> Document:
        return self.front.read("profile", f"/v1/profiles/email:{address}?include={name}")

    def follow_ups(self, address: str) -> list[Document]:
        """What is to be done because of an answer; a trigger may ask for more."""
        tasks = self.part(address, "tasks")["tasks"]
        return [task for task in tasks if not task["task"].startswith("t-")]

    def kpi(self, kpi: str, dimension: str, value: str) -> Document | None:
        """Of the last and the next hour, where there is any."""
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        span = [(now + timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in (-1, 2)]
        path = f"/v1/kpis/{kpi}?from={span[0]}&to={span[1]}&group_by={dimension}"
        series = self.front.read("metrics", path, "ops")["series"]
        found = [one for one in series if one["dims"] == {dimension: value} and one["den"]]
        return found[0] if found else None


@pytest.fixture
def house(demo_stack: DemoStack) -> Iterator[House]:
    stack = read_stack(demo_stack.file)
    desk, front = Desk(stack), Front(stack)
    front.retire_all()
    yield House(desk, front, f"team-{uuid4().hex[:8]}")
    desk.close()
    front.close()


def csat(house: House) -> str:
    """A survey about cases, which is live."""
    name = f"case_{uuid4().hex[:8]}"
    score = {"id": "score", "type": "score", "text": {"en": "How did we do?"}, "required": True}
    comment = {"id": "comment", "type": "text", "text": {"en": "Anything else?"}}
    house.front.publish(
        {
            "id": name,
            "kind": "csat",
            "about": "service",
            "title": {"en": "Your case", "de": "Ihr Fall"},
            "questions": [score, comment],
            "throttle_days": 30,
            "rules": [
                {
                    "id": "after_case",
                    "on": "ticket.resolved",
                    "where": {"team": house.team},
                    "delay_hours": 0,
                }
            ],
        }
    )
    return name


def nps(house: House, owner: str) -> str:
    """A survey about everything, which is live."""
    name = f"parcel_{uuid4().hex[:8]}"
    score = {
        "id": "score", "type": "score", "text": {"en": "Would you recommend us?"},
        "required": True,
    }  # fmt: skip
    comment = {"id": "comment", "type": "text", "text": {"en": "Why?"}}
    house.front.publish(
        {
            "id": name,
            "kind": "nps",
            "about": "relationship",
            "title": {"en": "How likely"},
            "questions": [score, comment],
            "loop": {"owner": owner},
            "rules": [{"id": "after_parcel", "on": "order.delivered", "delay_hours": 0}],
        }
    )
    return name


def test_an_answer_is_on_the_view_and_in_the_kpi_within_a_second(house: House) -> None:
    survey = csat(house)
    people = [house.customer() for _ in range(_CUSTOMERS)]
    for address in people:
        house.solve(address)
    links = {address: house.front.link(address) for address in people}
    seconds = []
    for number, address in enumerate(people, 1):
        page = house.front.open(links[address])
        thanks = house.front.answer(links[address], score=5, comment="Quick and friendly.")
        answered = time.monotonic()
        shown = until(partial(_answers, house, address))
        until(partial(_counted, house, number))
        seconds.append(time.monotonic() - answered)

        assert (page.status_code, thanks.status_code) == (200, 200)
        assert [(one["kind"], one["score"], one["comment"]) for one in shown] == [
            ("csat", 5, "Quick and friendly.")
        ]
    again = house.front.answer(links[people[0]], score=1)
    rates = house.front.read("feedback", f"/v1/surveys/{survey}/rates")

    print(f"from the thank-you to view and KPI: {median(seconds):.3f} s")  # noqa: T201 - a figure
    assert median(seconds) <= _SOON * _SLOWER
    assert "q-score" not in again.text
    assert (house.kpi("csat", "team", house.team) or {})["value"] == 100
    assert (rates["eligible"], rates["invited"], rates["answered"]) == (5, 5, 5)


def test_whoever_is_unhappy_is_got_back_to_and_it_shows(house: House) -> None:
    owner = f"care-{uuid4().hex[:8]}"
    nps(house, owner)
    address = house.customer()
    house.deliver(address)
    house.front.answer(house.front.link(address), score=2, comment="Two weeks late.")

    task = until(lambda: next(iter(house.follow_ups(address)), None))
    loops = house.front.read("feedback", f"/v1/loops?state=open&owner={owner}")["loops"]
    [loop] = loops
    house.front.post(
        "feedback",
        f"/v1/loops/{loop['loop']}:close",
        {"outcome": "called", "informed": True},
    )
    until(lambda: None if house.follow_ups(address) else "done")
    took = until(lambda: house.kpi("loop_time", "agent", owner))
    informed = until(lambda: house.kpi("loop_informed", "agent", owner))
    told = house.front.read("profile", f"/v1/profiles/email:{address}/timeline?view=cards")

    assert (task["task"], task["assignee"]) == (loop["task"], owner)
    assert task["ref"] == f"survey:{loop['survey']}"
    assert (loop["score"], loop["overdue"]) == (2, False)
    assert (took["n"], informed["value"]) == (1, 100)
    titles = [card["title"] for card in told["cards"]]
    # The newest first; what a trigger makes of the answer may come after all of it.
    [closed] = [at for at, one in enumerate(titles) if one.startswith(_CLOSED)]
    assert closed < titles.index("Answered the nps survey: 2 about relationship")


def test_an_erased_customer_leaves_a_number_and_no_words(house: House) -> None:
    owner = f"care-{uuid4().hex[:8]}"
    survey = nps(house, owner)
    address = house.customer()
    house.deliver(address)
    link = house.front.link(address)
    house.front.answer(link, score=1, comment="A secret between us.")
    until(lambda: next(iter(house.follow_ups(address)), None))
    subject = house.part(address, "events")["subject"]

    asked = {"kind": "erasure", "identifiers": {"email": address}}
    request = house.front.post("profile", "/v1/privacy/requests", asked, 201, "ops")["id"]
    path = f"/v1/privacy/requests/{request}/certificate"
    until(lambda: house.front.read("profile", path, "ops")["complete"] or None)
    until(lambda: _gone(house, owner))
    answers = house.front.read("feedback", f"/v1/feedback?definition={survey}&limit=10")["feedback"]
    late = house.front.answer(link, score=10)
    trends = house.front.read("feedback", f"/v1/surveys/{survey}/rates")

    assert house.front.get("profile", f"/v1/profiles/{subject}").status_code == 410
    assert "secret" not in str(answers)
    assert address not in str(answers)
    assert "q-score" not in late.text
    assert trends["answered"] <= 1


def _answers(house: House, address: str) -> list[Document] | None:
    return house.part(address, "satisfaction")["satisfaction"] or None


def _counted(house: House, number: int) -> Document | None:
    """The satisfaction of the team, once so many answers are in it."""
    point = house.kpi("csat", "team", house.team)
    return point if point is not None and point["den"] >= number else None


def _gone(house: House, owner: str) -> Document | None:
    """The follow-up, once nobody can be got back to any more."""
    loops: list[Document] = house.front.read("feedback", f"/v1/loops?owner={owner}")["loops"]
    return next((one for one in loops if one["customer"] is None), None)

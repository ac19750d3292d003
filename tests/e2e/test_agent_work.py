"""What an agent writes down is read back at once, through ingest, broker, worker and API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from rapport_cli.stackfile import read_stack

from tests.support.demo import DemoStack
from tests.support.frontend import Desk, Document, event

Customer = tuple[Desk, Document]


@pytest.fixture
def customer(demo_stack: DemoStack) -> Iterator[Customer]:
    """A desk, and a customer's identifiers whom nobody has heard of."""
    desk = Desk(read_stack(demo_stack.file))
    yield desk, {"user_id": f"u-{uuid4().hex}"}
    desk.close()


def said(customer: Customer, role: str, type_: str, data: Document, days_ago: float = 0) -> None:
    desk, who = customer
    desk.send(role, event(type_, {"identifiers": who, **data}, days_ago))


def part(customer: Customer, name: str) -> Document:
    desk, who = customer
    return desk.read(f"/v1/profiles/user_id:{who['user_id']}?include={name}")


def listed(customer: Customer, name: str) -> Document:
    desk, who = customer
    return desk.read(f"/v1/profiles/user_id:{who['user_id']}/{name}")


def test_a_note_is_written_edited_and_removed(customer: Customer) -> None:
    note = {"note": "n-1", "agent": "eve"}
    said(customer, "agent", "note.added.v1", {**note, "pinned": True, "body": "Likes tea"}, 3)
    (shown,) = part(customer, "notes")["notes"]
    reworded = {"note": "n-1", "agent": "ben", "body": "Likes coffee", "mentions": ["eve"]}
    said(customer, "agent", "note.edited.v1", reworded, 2)
    (edited,) = listed(customer, "notes")["notes"]
    said(customer, "agent", "note.removed.v1", {"note": "n-1", "agent": "ben"}, 1)
    (removed,) = listed(customer, "notes")["notes"]

    assert (shown["body"], shown["pinned"]) == ("Likes tea", True)
    assert (edited["body"], edited["mentions"], edited["agent"]) == ("Likes coffee", ["eve"], "eve")
    assert [(one["agent"], one["body"]) for one in edited["versions"]] == [
        ("eve", "Likes tea"), ("ben", "Likes coffee"),
    ]  # fmt: skip
    assert (removed["body"], removed["removed"]["agent"]) == (None, "ben")
    assert part(customer, "notes")["notes"] == []


def test_a_task_is_given_handed_on_and_done(customer: Customer) -> None:
    due = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    given = {"task": "t-1", "title": "Ring Ada", "assignee": "eve", "due": due}
    said(customer, "agent", "task.created.v1", given, 3)
    (shown,) = part(customer, "tasks")["tasks"]
    said(customer, "agent", "task.assigned.v1", {"task": "t-1", "assignee": "ben"}, 2)
    said(customer, "agent", "task.completed.v1", {"task": "t-1"})
    (done,) = listed(customer, "tasks")["tasks"]

    assert (shown["title"], shown["overdue"], shown["state"]) == ("Ring Ada", True, "open")
    assert (done["assignee"], done["state"], done["overdue"]) == ("ben", "completed", False)
    assert [one["change"] for one in done["changes"]] == ["created", "assigned", "completed"]
    assert part(customer, "tasks")["tasks"] == []


def test_a_promise_falls_due_and_is_kept_late(customer: Customer) -> None:
    due = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    made = {"commitment": "c-1", "what": "A call", "due": due, "agent": "eve"}
    said(customer, "agent", "commitment.made.v1", made, 2)
    (shown,) = part(customer, "commitments")["commitments"]
    said(customer, "agent", "commitment.kept.v1", {"commitment": "c-1", "agent": "eve"})
    (kept,) = listed(customer, "commitments")["commitments"]

    assert (shown["what"], shown["state"], shown["late"]) == ("A call", "overdue", True)
    assert (kept["state"], kept["late"]) == ("kept", True)
    assert part(customer, "commitments")["commitments"] == []


def test_an_issue_is_corrected(customer: Customer) -> None:
    for ticket, topic in (("T-1", "delivery"), ("T-2", "invoice")):
        named = {"ticket": f"{ticket}-{customer[1]['user_id']}", "topic": topic}
        said(customer, "publisher", "ticket.created.v1", named, 2)
    ref = f"ticket:T-2-{customer[1]['user_id']}"
    said(customer, "publisher", "bot.conversed.v1",
         {"conversation": "b-1", "intent": "delivery", "outcome": "abandoned"}, 1)  # fmt: skip
    before = _with(part(customer, "issues"), "bot:b-1")
    said(customer, "agent", "issue.corrected.v1", {"contact": "bot:b-1", "issue": ref})
    after = _with(part(customer, "issues"), "bot:b-1")

    assert (before["topic"], after["topic"]) == ("delivery", "invoice")
    assert after["issue"] == ref
    assert after["do_not_ask_again"]["known_by"] == ["user_id"]
    assert [_with(listed(customer, "attempts"), "bot:b-1")] == [after]


def _with(answer: Document, contact: str) -> Document:
    """The issue that a contact is part of."""
    (found,) = [
        issue
        for issue in answer["issues"]
        if contact in {one["contact"] for one in issue["attempts"]}
    ]
    return dict(found)

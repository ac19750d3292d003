"""The demo's own count of the KPIs, told in a few events."""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL

from rapport_cli.demo import counting, serving
from rapport_cli.demo.counting import Share
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.script import Script
from rapport_cli.demo.stories import ADA

END = datetime(2026, 11, 22, tzinfo=UTC)
START = END - timedelta(days=30)
MONDAY = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SURVEY = serving.Survey("V-1", "nps", "relationship")


def question(ticket: str, topic: str = "delivery") -> serving.Question:
    return serving.Question(
        ticket=ticket, topic=topic, channel="chat", agent="eve", subject="?", body="?"
    )


def traffic(script: Script) -> Traffic:
    return Traffic(script.said, START, END)


def ada() -> Script:
    return Script(ADA, NAMESPACE_URL)


def test_a_corrected_answer_counts_once_as_it_was_meant() -> None:
    script = ada()
    serving.score(script, MONDAY, SURVEY, 1)
    serving.score(script, MONDAY + HOUR, SURVEY, 10, revision=2)

    assert counting.nps(traffic(script)) == Share(1, 1)


def test_a_correction_that_is_told_first_counts_all_the_same() -> None:
    script = ada()
    serving.score(script, MONDAY, SURVEY, 10, revision=2)
    serving.score(script, MONDAY + HOUR, SURVEY, 1)

    assert counting.nps(traffic(script)) == Share(1, 1)


def test_a_contact_is_enough_when_it_is_solved_and_nobody_asks_again() -> None:
    script = ada()
    serving.ask(script, MONDAY, question("T-1"))
    serving.resolve(script, MONDAY + HOUR, question("T-1"), "Solved.")

    assert counting.fcr(traffic(script)) == Share(1, 1)


def test_a_contact_that_needs_another_within_a_week_was_not_enough() -> None:
    script = ada()
    serving.ask(script, MONDAY, question("T-1"))
    serving.resolve(script, MONDAY + HOUR, question("T-1"), "Solved.")
    serving.ring(script, MONDAY + 2 * DAY, "C-1", question("T-1"))

    assert counting.fcr(traffic(script)) == Share(0, 1)


def test_two_topics_are_two_matters() -> None:
    script = ada()
    for ticket, topic in (("T-1", "delivery"), ("T-2", "billing")):
        serving.ask(script, MONDAY, question(ticket, topic))
        serving.resolve(script, MONDAY + HOUR, question(ticket, topic), "Solved.")

    assert counting.fcr(traffic(script)) == Share(2, 2)


def test_what_is_solved_too_late_was_not_solved_at_first_contact() -> None:
    script = ada()
    serving.ask(script, MONDAY, question("T-1"))
    serving.resolve(script, MONDAY + 8 * DAY, question("T-1"), "Solved.")

    assert counting.fcr(traffic(script)) == Share(0, 1)


def test_a_contact_of_this_week_is_not_judged_yet() -> None:
    script = ada()
    serving.ask(script, END - DAY, question("T-1"))

    assert counting.fcr(traffic(script)) == Share(0, 0, pending=1)


def test_contacts_are_told_apart_by_week_and_channel() -> None:
    script = ada()
    serving.ask(script, MONDAY, question("T-1"))
    serving.ring(script, MONDAY + DAY, "C-1", question("T-1"))
    serving.ask(script, MONDAY + 7 * DAY, question("T-2"))

    assert counting.contacts_by_week(traffic(script)) == {
        ("2026-11-02T00:00:00.000Z", "chat"): 1,
        ("2026-11-02T00:00:00.000Z", "phone"): 1,
        ("2026-11-09T00:00:00.000Z", "chat"): 1,
    }

"""Which contacts are one issue, and what the customer need not be asked again."""

import pytest

from tests.support.attempts import (
    ADA,
    HOUR,
    adas_parcel,
    asked,
    bot,
    issues_of,
    missed,
    parts,
    resolved,
    talked,
)
from tests.support.events import NOON, days, happened


def test_one_issue_over_all_channels() -> None:
    found = issues_of(adas_parcel(), after=2)

    assert len(found) == 1
    told = [(one.contact.kind, one.attempt.channel, one.attempt.outcome, one.because)
            for one in found[0].attempts]  # fmt: skip
    assert told == [
        ("help", "web", "read", "just_before"),
        ("bot", "chat", "handed_over", "hand_over"),
        ("ticket", "chat", "continued", None),
        ("ticket", "email", "no_answer", None),
        ("call", "phone", "answered", "ticket"),
        ("visit", "store", "visited", "only_open"),
        ("callback", None, "waiting", "topic"),
    ]


def test_messages_count_on_the_channel_on_which_they_were_written() -> None:
    (issue,) = issues_of(adas_parcel(), after=2)

    counted = [
        (one.attempt.messages_in, one.attempt.messages_out)
        for one in issue.attempts
        if one.contact.kind == "ticket"
    ]
    assert counted == [(0, 1), (1, 0)]


def test_what_the_customer_gave_and_did_need_not_be_asked_again() -> None:
    (issue,) = issues_of(adas_parcel(), after=2)

    assert (issue.ref, issue.topic, issue.state) == ("ticket:T", "delivery", "open")
    assert (issue.articles, issue.intents) == (["track-a-parcel"], ["order_status"])
    assert [(one.spoke.agent, one.spoke.team) for one in issue.meetings] == [
        ("ben", None), ("eve", "tier1"),
    ]  # fmt: skip
    assert [one.attempts[0].purpose for one in issue.callbacks] == ["today"]


def test_a_callback_that_was_made_does_not_wait() -> None:
    wanted = happened("callback.requested", ADA, NOON, topic="delivery")
    ours = [
        happened("call.offered", ADA, NOON + HOUR, call="c", direction="out"),
        happened("call.answered", ADA, NOON + HOUR, call="c", agent="eve"),
    ]
    (issue,) = issues_of(wanted, ours, after=0.1)

    assert issue.callbacks == []
    assert issue.state == "resolved"


def test_a_callback_that_reached_nobody_still_waits() -> None:
    wanted = happened("callback.requested", ADA, NOON)
    ours = happened("call.offered", ADA, NOON + HOUR, call="c", direction="out")

    (issue,) = issues_of(wanted, ours, after=0.1)

    assert len(issue.callbacks) == 1
    assert issue.is_open


@pytest.mark.parametrize(("day", "count"), [(6, 1), (8, 2)])
def test_who_comes_back_with_the_topic_within_a_week_has_one_issue(day: float, count: int) -> None:
    found = issues_of(talked("c", 0, topic="Late Parcel"), asked("T", day, "late_parcel"))

    assert len(found) == count


def test_an_open_ticket_draws_its_topic_in_for_a_month() -> None:
    found = issues_of(
        asked("T"), talked("c", 20, topic="delivery"), talked("d", 51, topic="delivery")
    )

    assert parts(found) == [["ticket:T", "call:c"], ["call:d"]]


def test_other_topics_are_other_issues() -> None:
    found = issues_of(asked("T"), asked("B", 1, "invoice"), missed("c", 1.1, "invoice"))

    assert parts(found) == [["ticket:T"], ["ticket:B", "call:c"]]


def test_the_same_topic_of_two_orders_is_two_issues() -> None:
    found = issues_of(
        asked("T", correlation="O-1"), asked("U", 1, correlation="order:O-2"), orders=("O-1", "O-2")
    )

    assert parts(found) == [["ticket:T"], ["ticket:U"]]


def test_a_call_about_the_ticket_of_one_order_does_not_draw_in_another_order() -> None:
    found = issues_of(
        asked("T", correlation="O-1"),
        talked("c", 1, topic="delivery", ticket="T"),
        asked("U", 2, correlation="O-2"),
        orders=("O-1", "O-2"),
    )

    assert parts(found) == [["ticket:T", "call:c"], ["ticket:U"]]


def test_a_return_and_a_ticket_about_one_order_are_one_issue() -> None:
    back = {"return": "R-1", "order": "O-1", "reason": "defect"}
    found = issues_of(
        happened("return.requested", ADA, NOON, fields=back), asked("T", 12, correlation="O-1")
    )

    assert parts(found) == [["return:R-1", "ticket:T"]]
    assert found[0].orders == ["O-1"]


def test_who_hung_up_and_calls_again_asks_the_same() -> None:
    found = issues_of(missed("c", 0), missed("d", 0.01), talked("e", 0.02))

    assert parts(found) == [["call:c", "call:d", "call:e"]]
    assert found[0].state == "resolved"


def test_a_contact_without_a_topic_is_left_alone_when_two_issues_are_alive() -> None:
    found = issues_of(asked("T"), asked("B", 0.5, "invoice"), talked("c", 1))

    assert parts(found) == [["ticket:T"], ["ticket:B"], ["call:c"]]


def test_what_the_bot_solved_is_an_issue_of_its_own() -> None:
    found = issues_of(asked("T"), bot("b", 1, "solved", "reset_password"))

    assert [issue.state for issue in found] == ["resolved", "open"]


def test_reading_help_or_coming_to_the_store_alone_is_no_issue() -> None:
    read = {"session": "s", "article": "kb-1"}

    assert issues_of(
        happened("help.viewed", ADA, fields=read), happened("store.visited", ADA, store="mitte")
    ) == []  # fmt: skip


def test_a_reopened_ticket_is_a_second_attempt() -> None:
    again = happened("ticket.reopened", ADA, NOON + days(2), ticket="T")
    (issue,) = issues_of(asked("T"), resolved("T", 1), again)

    assert [one.attempt.outcome for one in issue.attempts] == ["reopened", "no_answer"]
    assert issue.state == "open"


def test_a_call_after_the_ticket_was_resolved_opens_the_issue_again() -> None:
    solved = issues_of(asked("T"), resolved("T", 1))
    found = issues_of(asked("T"), resolved("T", 1), missed("c", 3, "delivery"), after=4)

    assert (solved[0].state, found[0].state) == ("resolved", "open")
    assert parts(found) == [["ticket:T", "call:c"]]


def test_what_nobody_ended_is_quiet_after_a_week() -> None:
    call = missed("c", 0, "delivery")

    assert [issues_of(call, after=day)[0].state for day in (6, 8)] == ["open", "quiet"]

"""Which contacts are one issue, and what the customer need not be asked again."""

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile.domain.attempts.gather import CONTACT_TYPES
from rapport_profile.domain.attempts.issue import Issue, issues

from tests.support.events import NOON, days, happened, new_subject

ADA = new_subject()
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def issues_of(
    *told: Record | Iterable[Record], orders: tuple[str, ...] = (), after: float = 20
) -> list[Issue]:
    records = [record for one in told for record in ((one,) if isinstance(one, Record) else one)]
    facts = [(record, decode_data(record.envelope)) for record in records]
    return issues(facts, orders, NOON + days(after))


def parts(found: list[Issue]) -> list[list[str]]:
    """The contacts of each issue, oldest issue first."""
    return [[one.ref for one in issue.contacts] for issue in reversed(found)]


def asked(ticket: str, day: float = 0, topic: str | None = "delivery", **more: Any) -> Record:  # noqa: ANN401
    return happened("ticket.created", ADA, NOON + days(day), ticket=ticket, topic=topic,
                    channel="email", **more)  # fmt: skip


def resolved(ticket: str, day: float) -> Record:
    return happened("ticket.resolved", ADA, NOON + days(day), ticket=ticket, agent="eve")


def talked(name: str, day: float, **leg: Any) -> list[Record]:  # noqa: ANN401
    """A call that was answered."""
    at, topic = NOON + days(day), leg.pop("topic", None)
    return [
        happened("call.offered", ADA, at, call=name, topic=topic, direction="in"),
        happened("call.answered", ADA, at + MINUTE, call=name, agent="eve", team="tier1"),
        happened("call.leg_ended", ADA, at + 5 * MINUTE, call=name, leg=1, agent="eve", **leg),
    ]


def missed(name: str, day: float, topic: str | None = None) -> list[Record]:
    at = NOON + days(day)
    return [
        happened("call.offered", ADA, at, call=name, topic=topic, direction="in"),
        happened("call.abandoned", ADA, at + MINUTE, call=name, wait=60),
    ]


def bot(name: str, day: float, outcome: str, intent: str = "order_status") -> Record:
    return happened("bot.conversed", ADA, NOON + days(day), conversation=name, outcome=outcome,
                    intent=intent, channel="chat")  # fmt: skip


def corrected(contact: str, issue: str | None, day: float = 10) -> Record:
    return happened("issue.corrected", ADA, NOON + days(day), contact=contact, issue=issue,
                    agent="eve")  # fmt: skip


def adas_parcel() -> list[Record]:
    """Help, bot, chat, phone, store and e-mail about one parcel."""
    read = {"session": "s", "article": "track-a-parcel"}
    said = {"ticket": "T", "direction": "in"}
    return [
        happened("help.searched", ADA, NOON - 8 * MINUTE, session="s", results=0, channel="web"),
        happened("help.viewed", ADA, NOON - 7 * MINUTE, channel="web", fields=read),
        bot("b", -4 * MINUTE / days(1), "handed_over"),
        happened("ticket.created", ADA, NOON, ticket="T", topic="delivery", channel="chat"),
        happened("ticket.message", ADA, NOON + MINUTE, ticket="T", direction="out", agent="ben"),
        happened("ticket.message", ADA, NOON + 3 * HOUR, channel="email", fields=said),
        *talked("c", 0.2, ticket="T"),
        happened("store.visited", ADA, NOON + days(1), store="mitte", channel="store"),
        happened("callback.requested", ADA, NOON + days(1.5), window="today", topic="delivery"),
    ]


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


def test_an_agent_takes_a_contact_out_of_an_issue() -> None:
    call = talked("c", 1, ticket="T")

    together = issues_of(asked("T"), call)
    apart = issues_of(asked("T"), call, corrected("call:c", None))

    assert parts(together) == [["ticket:T", "call:c"]]
    assert parts(apart) == [["ticket:T"], ["call:c"]]


def test_an_agent_puts_a_contact_into_another_issue_and_the_newest_word_holds() -> None:
    told = [asked("T"), asked("B", 0.5, "invoice"), *talked("c", 1, ticket="T")]

    moved = issues_of(told, corrected("call:c", "ticket:B", 2))
    back = issues_of(told, corrected("call:c", "ticket:B", 2), corrected("call:c", "ticket:T", 3))

    assert parts(moved) == [["ticket:T"], ["ticket:B", "call:c"]]
    assert moved[0].because["call:c"] == "corrected"
    assert parts(back) == [["ticket:B"], ["ticket:T", "call:c"]]


def test_a_conversation_is_named_by_either_word_for_it() -> None:
    found = issues_of(asked("T"), bot("b", 3, "solved"), corrected("conversation:b", "ticket:T"))

    assert parts(found) == [["ticket:T", "bot:b"]]


def test_a_correction_that_comes_before_its_contacts_holds_when_they_arrive() -> None:
    word = corrected("call:c", "ticket:T", 0)

    assert issues_of(word) == []
    assert parts(issues_of(word, talked("c", 1, topic="invoice"), asked("T", 2))) == [
        ["call:c", "ticket:T"]
    ]


def test_a_late_hand_over_joins_what_stood_apart() -> None:
    late = bot("b", 0.99, "handed_over", "order_status")
    apart = [asked("T", 1), asked("B", 0.9, "invoice")]

    before, after = issues_of(apart), issues_of(apart, late)

    assert parts(before) == [["ticket:B"], ["ticket:T"]]
    assert parts(after) == [["ticket:B"], ["bot:b", "ticket:T"]]


_LIFE = [
    *adas_parcel(),
    *missed("x", 2, "invoice"), asked("B", 2.5, "invoice"), resolved("B", 3),
    *talked("y", 4), bot("z", 4, "abandoned"), bot("w", 5, "solved", "invoice"),
    happened("return.requested", ADA, NOON + days(5), fields={"return": "R", "order": "O"}),
    asked("R", 6, None, correlation="O"), resolved("R", 8),
    happened("ticket.reopened", ADA, NOON + days(9), ticket="R"),
    happened("ticket.topic_changed", ADA, NOON + days(2.7), ticket="B", after="fees"),
    happened("social.mentioned", ADA, NOON + days(6), post="p", network="mastodon"),
    happened("help.rated", ADA, NOON, article="track-a-parcel", helpful=False),
    happened("error.shown", ADA, NOON + days(2) - MINUTE, code="E1", page="pay"),
    corrected("call:y", "ticket:B", 5), corrected("call:y", None, 6), corrected("bot:w", "bot:z"),
]  # fmt: skip


def told_of(found: list[Issue]) -> object:
    return [
        (issue.ref, issue.state, issue.topic, issue.orders, issue.articles, issue.intents,
         [(one.contact.ref, one.because, one.attempt) for one in issue.attempts],
         issue.meetings)
        for issue in found
    ]  # fmt: skip


_EXPECTED = told_of(issues_of(_LIFE))


@for_any(st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(chance: random.Random) -> None:
    assert told_of(issues_of(chance.sample(_LIFE, len(_LIFE)))) == _EXPECTED


_IDS: dict[str, str] = {
    "help": "article", "bot": "conversation", "ticket": "ticket", "call": "call",
    "social": "post", "store": "store", "appointment": "appointment", "return": "return",
    "error": "code",
}  # fmt: skip
_NAMES = st.sampled_from(["a", "b", "c"])


@st.composite
def anything(draw: st.DrawFn) -> Record:
    """Any event of a contact, with as few fields as a publisher may send."""
    type_ = draw(st.sampled_from(CONTACT_TYPES))
    noun = type_.partition(".")[0]
    fields: dict[str, Any] = {_IDS[noun]: draw(_NAMES)} if noun in _IDS else {}
    if type_ == "issue.corrected.v1":
        refs = st.builds("{}:{}".format, st.sampled_from([*_IDS, "bot", "odd"]), _NAMES)
        fields = {"contact": draw(refs), "issue": draw(st.none() | refs)}
    extra = {"topic": _NAMES, "order": _NAMES, "session": _NAMES, "ticket": _NAMES,
             "outcome": st.sampled_from(["solved", "handed_over", "new"]),
             "direction": st.sampled_from(["in", "out"])}  # fmt: skip
    for name in draw(st.sets(st.sampled_from(sorted(extra)))):
        fields.setdefault(name, draw(extra[name]))
    at = NOON + draw(st.integers(0, 500)) * HOUR
    return happened(type_, ADA, at, fields=fields, channel=draw(st.sampled_from(["web", None])),
                    correlation=draw(st.none() | _NAMES))  # fmt: skip


@for_any(st.lists(anything(), max_size=15), st.randoms(use_true_random=False))
def test_whatever_publishers_send_the_order_of_arrival_changes_nothing(
    records: list[Record], chance: random.Random
) -> None:
    found = issues_of(records)
    again = issues_of(chance.sample(records, len(records)))

    assert told_of(found) == told_of(again)
    refs = [one.ref for issue in found for one in issue.contacts]
    assert len(refs) == len(set(refs))


@for_any(st.sets(st.integers(0, len(_LIFE) - 1)))
def test_every_contact_is_in_one_issue_at_most_and_none_is_invented(left_out: set[int]) -> None:
    """Whatever was lost on the way."""
    kept = [record for number, record in enumerate(_LIFE) if number not in left_out]
    refs = [one.ref for issue in issues_of(kept) for one in issue.contacts]
    tickets = {f"ticket:{name}" for one in kept if (name := _ticket(one)) is not None}

    assert len(refs) == len(set(refs))
    assert tickets <= set(refs)


def _ticket(record: Record) -> str | None:
    data = decode_data(record.envelope)
    is_about = record.envelope.type.startswith("ticket.")
    return getattr(data, "ticket", None) if is_about else None

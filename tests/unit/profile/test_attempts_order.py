"""Whatever order contacts are heard of in, they make the same issues."""

import random
from typing import Any

from hypothesis import given as for_any
from hypothesis import strategies as st
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile.domain.attempts.gather import CONTACT_TYPES
from rapport_profile.domain.attempts.issue import Issue

from tests.support.attempts import (
    ADA,
    HOUR,
    MINUTE,
    adas_parcel,
    asked,
    bot,
    corrected,
    issues_of,
    missed,
    parts,
    resolved,
    talked,
)
from tests.support.events import NOON, days, happened


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

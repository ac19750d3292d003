"""Ada's contacts with a company, and the issues that are made of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from rapport_events.codec import decode_data
from rapport_events.envelope import Record
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

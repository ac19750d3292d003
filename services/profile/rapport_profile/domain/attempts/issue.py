"""How an issue stands, and what its customer need not be asked again."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from rapport_events import wire

from rapport_profile.domain.attempts.contact import ASKING, Attempt, Contact, Outcome, Spoke
from rapport_profile.domain.attempts.gather import gather
from rapport_profile.domain.attempts.stitch import WINDOW, normal_ref, stitch
from rapport_profile.domain.attempts.union import Rule
from rapport_profile.domain.fold import Fact
from rapport_profile.domain.state import Profile

IssueState = Literal["open", "waiting", "resolved", "quiet"]
"""quiet: nobody said how it ended, and nothing has been heard for WINDOW."""

_SETTLED: Final[frozenset[Outcome | None]] = frozenset(
    {"resolved", "solved", "answered", "called_back"}
)
"""Outcomes after which a contact without a ticket leaves nothing open, as far as anybody said."""


class Tried(NamedTuple):
    """One attempt, and how it came to be part of the issue."""

    contact: Contact
    attempt: Attempt
    because: Rule | None


class Meeting(NamedTuple):
    spoke: Spoke
    channel: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that a customer wants settled; `contacts` are at least one, oldest first."""

    contacts: Sequence[Contact]
    because: dict[str, Rule]
    state: IssueState

    @property
    def ref(self) -> str:
        """Named by its first ticket, else by the first contact in which it was asked about."""
        asked = [one for one in self.contacts if one.kind in ASKING]
        return next((one for one in asked if one.kind == "ticket"), asked[0]).ref

    @property
    def is_open(self) -> bool:
        return self.state in {"open", "waiting"}

    @property
    def opened_at(self) -> datetime:
        return self.contacts[0].start

    @property
    def last_at(self) -> datetime:
        return max(one.last_at for one in self.contacts)

    @property
    def topic(self) -> str | None:
        """The newest ticket's, else the newest contact's that has one."""
        told = [one for one in self.contacts if one.topic is not None]
        tickets = [one for one in told if one.kind == "ticket"]
        return (tickets or told)[-1].topic if told else None

    @property
    def about(self) -> str | None:
        return next((one.about for one in reversed(self.contacts) if one.about), None)

    @property
    def orders(self) -> list[str]:
        return sorted({order for one in self.contacts for order in one.orders})

    @property
    def tickets(self) -> list[str]:
        return [one.ref.partition(":")[2] for one in self.contacts if one.kind == "ticket"]

    @property
    def known_by(self) -> list[str]:
        """Kinds of identifiers under which the customer came to us."""
        return sorted({kind for one in self.contacts for kind in one.known_by})

    @property
    def attempts(self) -> list[Tried]:
        """What was tried, in order."""
        tried = [
            Tried(one, attempt, self.because.get(one.ref))
            for one in self.contacts
            for attempt in one.attempts
        ]
        return sorted(tried, key=lambda one: (one.attempt.started_at, one.contact.ref))

    @property
    def articles(self) -> list[str]:
        return _once(article for one in self.attempts for article in one.attempt.articles)

    @property
    def intents(self) -> list[str]:
        return _once(one.attempt.intent for one in self.attempts if one.attempt.intent)

    @property
    def meetings(self) -> list[Meeting]:
        """Everybody whom the customer already spoke to, at their last word."""
        last: dict[Spoke, Meeting] = {}
        for _, attempt, _ in self.attempts:
            for spoke in attempt.spoke:
                last[spoke] = Meeting(spoke, attempt.channel, attempt.last_at)
        return list(last.values())

    @property
    def callbacks(self) -> list[Contact]:
        """Calls that the customer asked for and that nobody has made."""
        return [one for one in self.contacts if one.kind == "callback" and one.outcome == "waiting"]


def may_be_open(profile: Profile, now: datetime) -> bool:
    """Whether the person can have an open issue: a look at the state instead of the history."""
    if profile.asked is not None and now - profile.asked <= WINDOW:
        return True
    return any(ticket.state != "resolved" for ticket in profile.tickets.values())


def issues(facts: Iterable[Fact], orders: Collection[str], now: datetime) -> list[Issue]:
    """A person's issues, the newest first; the facts may come in any order.

    `orders`: ids of the person's orders. `now` decides only what has become quiet.
    """
    ordered = sorted(facts, key=lambda fact: fact[0].order)
    corrected = {
        normal_ref(data.contact): data.issue
        for _, data in ordered
        if isinstance(data, wire.IssueCorrected)
    }
    union = stitch(gather(ordered), corrected, orders)
    found = [
        Issue(contacts, union.because, _state(contacts, now))
        for contacts in union.sets()
        if any(one.kind in ASKING for one in contacts)
    ]
    return sorted(found, key=lambda issue: (issue.last_at, issue.ref), reverse=True)


def _state(contacts: Sequence[Contact], now: datetime) -> IssueState:
    tickets = [one for one in contacts if one.kind == "ticket"]
    if any(one.state == "open" for one in tickets):
        return "open"
    if any(one.state == "pending" for one in tickets):
        return "waiting"
    last = max(
        (one for one in contacts if one.kind in ASKING), key=lambda one: (one.last_at, one.ref)
    )
    if last.outcome in _SETTLED:
        return "resolved"
    return "open" if now - last.last_at <= WINDOW else "quiet"


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))

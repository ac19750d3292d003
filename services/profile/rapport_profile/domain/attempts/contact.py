"""A contact: one ticket, call, conversation, visit … of a customer, as its events tell it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

Kind = Literal[
    "ticket", "call", "callback", "bot", "help", "error", "visit", "appointment", "social", "return"
]  # fmt: skip

Outcome = Literal[
    "resolved", "reopened", "waiting", "answered", "no_answer", "handed_over", "continued",
    "solved", "abandoned", "called_back", "read", "helpful", "not_helpful", "found_nothing",
    "shown", "visited", "booked", "kept", "missed", "requested", "completed", "mentioned",
]  # fmt: skip

ASKING: Final[frozenset[Kind]] = frozenset({"ticket", "call", "callback", "bot", "social"})
"""Contacts in which the customer wants something of us: only these make an issue. The others tell
what else they did about it; a visit to the store alone is no issue."""

HUMAN: Final[frozenset[Kind]] = frozenset({"ticket", "call", "callback"})
"""Contacts that a conversation with a bot can be handed over to."""


@dataclass(slots=True, kw_only=True, frozen=True)
class Spoke:
    """One of us who had something to say to the customer."""

    agent: str | None
    team: str | None


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try to get it settled. A ticket that moves or is reopened is several."""

    event: str
    """Key of its first event, hex."""
    channel: str | None
    started_at: datetime
    last_at: datetime
    outcome: Outcome | None = None
    is_ours: bool = False
    """We turned to the customer, not they to us."""
    articles: list[str] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    """Keys of the events that hold what was searched for."""
    intent: str | None = None
    place: str | None = None
    """Store, social network or page."""
    purpose: str | None = None
    """Of a visit, an appointment, a callback's hours, a return's reason, an error's code."""
    spoke: list[Spoke] = field(default_factory=list)
    messages_in: int = 0
    messages_out: int = 0
    words: str | None = None
    """Key of the event that holds the customer's own words about it."""

    def meet(self, agent: str | None, team: str | None) -> None:
        """Somebody spoke to the customer; a later word may know their team."""
        if agent is None and team is None:
            return
        if any(one.agent == agent and team in {None, one.team} for one in self.spoke):
            return
        self.spoke = [one for one in self.spoke if (one.agent, one.team) != (agent, None)]
        self.spoke.append(Spoke(agent=agent, team=team))


@dataclass(slots=True, kw_only=True)
class Contact:
    """All that belongs together by its own id."""

    ref: str
    """`kind:id`, as an agent's correction names it."""
    kind: Kind
    attempts: list[Attempt]
    topic: str | None = None
    topics: set[str] = field(default_factory=set)
    """Every topic it ever had; a bot's intent and a visit's purpose too, for they may be equal."""
    about: str | None = None
    orders: set[str] = field(default_factory=set)
    threads: set[str] = field(default_factory=set)
    """What it says it belongs to: a ticket by `kind:id`, a correlation id as it came."""
    known_by: set[str] = field(default_factory=set)
    """Kinds of identifiers that it came in under."""
    state: Literal["open", "pending", "resolved"] | None = None
    """Of a ticket."""
    waiting_for: str | None = None
    is_unanswered: bool = False
    """Of a ticket: the customer has written, and no human has replied."""
    escalated: bool = False

    @property
    def start(self) -> datetime:
        return self.attempts[0].started_at

    @property
    def last_at(self) -> datetime:
        return self.attempts[-1].last_at

    @property
    def is_open(self) -> bool:
        """Whether it is a ticket that nobody has resolved."""
        return self.state in {"open", "pending"}

    @property
    def place(self) -> tuple[datetime, str]:
        """Order among contacts."""
        return (self.start, self.ref)

    @property
    def outcome(self) -> Outcome | None:
        return self.attempts[-1].outcome

"""What an agent might do for a customer next, and what they had better not: purely."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

from rapport_personalization.domain import consents
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.occasions import RULES, Occasion, Rule
from rapport_personalization.domain.policies import Policies

Why = Literal["accepted", "dismissed", "suppressed", "open_case", "recent_bad_score", "no_consent"]

MOST: Final = 20
"""Open at a time: an agent reads no more."""
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


class Hold(NamedTuple):
    """Why something is not suggested, what says so, and until when."""

    why: Why
    events: tuple[bytes, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to do; with a `hold` it is only told that it was thought of."""

    id: str
    rule: str
    priority: int
    occasion: Occasion
    hold: Hold | None = None

    @property
    def order(self) -> tuple[int, datetime, int, str]:
        """The most urgent first; of two alike what is due, then what is worth more."""
        one = self.occasion
        return (-self.priority, one.due or _LATEST, -(one.value or 0), self.id)


class Looked(NamedTuple):
    """All of a person's, at one instant."""

    open: Sequence[Suggestion]
    held: Sequence[Suggestion]
    again: datetime | None
    """By time alone nothing changes before; None: never."""


class Answers(NamedTuple):
    """What agents said to suggestions, by their id."""

    accepted: Mapping[str, Mark]
    dismissed: Mapping[str, Mark]


def suggest(
    customer: Customer, now: datetime, policies: Policies, answers: Answers | None = None
) -> Looked:
    """`answers`: those that are not in what is known of the customer yet, beside those that are."""
    if customer.erased is not None:
        return Looked((), (), None)
    given = _answers(customer, answers)
    found: dict[str, Suggestion] = {}
    turns: list[datetime] = []
    for rule in RULES:
        for one in rule.find(customer, now, policies):
            hold, changes = _held(rule, one, customer, now, policies, given)
            turns += (at for at in (one.begins, one.ends, *changes) if at is not None and at > now)
            if one.begins <= now and (one.ends is None or now < one.ends):
                id_ = suggestion_id(rule.id, one.anchor)
                found.setdefault(id_, Suggestion(id_, rule.id, rule.priority, one, hold))
    ordered = sorted(found.values(), key=lambda one: one.order)
    return Looked(
        [one for one in ordered if one.hold is None][:MOST],
        [one for one in ordered if one.hold is not None],
        min(turns, default=None),
    )


def suggestion_id(rule: str, anchor: str) -> str:
    """The same for ever: an answer to it is found again."""
    return "s-" + blake2b(f"{rule}|{anchor}".encode(), digest_size=16).hexdigest()


def _answers(customer: Customer, more: Answers | None) -> Answers:
    known = Answers(customer.accepted, customer.dismissed)
    if more is None:
        return known
    return Answers({**known.accepted, **more.accepted}, {**known.dismissed, **more.dismissed})


def _held(
    rule: Rule,
    one: Occasion,
    customer: Customer,
    now: datetime,
    policies: Policies,
    answers: Answers,
) -> tuple[Hold | None, list[datetime]]:
    """The first reason against it; and the instants at which one of them ends."""
    holds = list(_answered(rule, one, answers))
    if rule.sells:
        holds += _spared(customer, policies)
    now_held = [hold for hold in holds if hold.until is None or hold.until > now]
    return (
        now_held[0] if now_held else None,
        [hold.until for hold in now_held if hold.until is not None],
    )


def _answered(rule: Rule, one: Occasion, answers: Answers) -> Iterator[Hold]:
    """Once answered it rests, whatever the answer."""
    id_ = suggestion_id(rule.id, one.anchor)
    said = [("accepted", answers.accepted.get(id_)), ("dismissed", answers.dismissed.get(id_))]
    known = [(mark, why) for why, mark in said if mark is not None]
    if known:
        mark, why = max(known)
        held: Why = "accepted" if why == "accepted" else "dismissed"
        yield Hold(held, (mark.key,), mark.at + rule.rest)


def _spared(customer: Customer, policies: Policies) -> Iterator[Hold]:
    """Whom nobody sells anything: who waits for us, is angry, or never agreed."""
    if customer.suppressed is not None:
        yield Hold("suppressed", (customer.suppressed.said.key,), customer.suppressed.until)
    open_ = [t.changed.key for t in customer.tickets.values() if t.is_open and t.changed]
    if open_:
        yield Hold("open_case", tuple(open_))
    bad = policies.bad_scores
    for answer in customer.answers.values():
        if answer.score <= bad.highest.get(answer.kind, -1):
            yield Hold("recent_bad_score", (answer.given.key,), answer.given.at + bad.within)
    channels = list(customer.reaches) or ["phone"]
    if not any(consents.allows(customer.consents, one, "marketing") for one in channels):
        said = [consents.newest(customer.consents, one, "marketing") for one in channels]
        yield Hold("no_consent", tuple({one.said.key for one in said if one is not None}))

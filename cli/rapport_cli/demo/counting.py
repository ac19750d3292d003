"""What the KPIs have to be: counted again, in a plain way, from what was sent.

Only what the demo's stories hold is counted: nobody reopens a ticket or passes a call on.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.saying import Fact, instant

_WEEK: Final = timedelta(days=7)
_PROMOTER, _DETRACTOR, _SATISFIED = 9, 6, 4


class Share(NamedTuple):
    """A KPI as two whole numbers. `pending`: too young to be judged."""

    num: int
    den: int
    pending: int = 0


class Contact(NamedTuple):
    """A ticket that did not come by phone, or an answered call. `solved`: when, if it was."""

    at: datetime
    id: str
    solved: datetime | None


Weeks = Mapping[tuple[str, str], int]
"""By first instant of a week (as JSON has it) and channel."""


def nps(traffic: Traffic) -> Share:
    scores = _scores(traffic, "nps")
    promoters = sum(score >= _PROMOTER for score in scores)
    return Share(promoters - sum(score <= _DETRACTOR for score in scores), len(scores))


def csat(traffic: Traffic) -> Share:
    scores = _scores(traffic, "csat")
    return Share(sum(score >= _SATISFIED for score in scores), len(scores))


def fcr(traffic: Traffic) -> Share:
    """First contacts of a customer about a topic, and how many of them were enough for a week."""
    judged = [one for chain in _chains(traffic) for one in _first_contacts(chain)]
    old = [enough for at, enough in judged if at < traffic.end - _WEEK]
    return Share(sum(old), len(old), len(judged) - len(old))


def contacts_by_week(traffic: Traffic) -> Weeks:
    """Weeks begin on Mondays; the first one where the demo begins."""
    offered = [one for one in traffic.facts("ticket.created.v1") if one.channel != "phone"]
    offered += traffic.facts("call.offered.v1")
    return Counter(
        (_week(one.at, traffic.start), one.channel or "")
        for one in offered
        if traffic.start <= one.at < traffic.end
    )


def _scores(traffic: Traffic, kind: str) -> list[int]:
    """The last word of each survey that was answered."""
    last: dict[str, Fact] = {}
    for answer in traffic.facts("survey.responded.v1"):
        survey = answer.data["survey"]
        if answer.data["kind"] == kind and _revision(answer) >= _revision(last.get(survey)):
            last[survey] = answer
    counted = (one for one in last.values() if traffic.start <= one.at < traffic.end)
    return [one.data["score"] for one in counted]


def _revision(answer: Fact | None) -> int:
    return 0 if answer is None else answer.data.get("revision", 1)


def _chains(traffic: Traffic) -> Iterator[list[Contact]]:
    """The contacts of a customer about a topic, the first one first."""
    solved = {one.data["ticket"]: one.at for one in reversed(traffic.facts("ticket.resolved.v1"))}
    answered = {one.data["call"] for one in traffic.facts("call.answered.v1")}
    about = {one.data["call"]: one.data["ticket"] for one in traffic.facts("call.leg_ended.v1")}
    chains: dict[tuple[str, str], list[Contact]] = defaultdict(list)
    for one in traffic.facts("ticket.created.v1"):
        ticket = one.data["ticket"]
        contact = Contact(one.at, ticket, solved.get(ticket))
        chains[one.customer, one.data["topic"]].append(contact)
    for one in traffic.facts("call.offered.v1"):
        call = one.data["call"]
        # A call without a ticket is solved by talking.
        done = solved.get(about[call]) if call in about else one.at
        if call in answered:
            chains[one.customer, one.data["topic"]].append(Contact(one.at, call, done))
    return (sorted(chain) for chain in chains.values())


def _first_contacts(chain: list[Contact]) -> Iterator[tuple[datetime, bool]]:
    """Each contact that begins a matter anew: when, and whether nothing more was needed."""
    for place, contact in enumerate(chain):
        until = contact.at + _WEEK
        if place and contact.at - chain[place - 1].at <= _WEEK:
            continue
        again = any(contact.at < later.at <= until for later in chain[place + 1 :])
        solved = contact.solved is not None and contact.solved <= until
        yield contact.at, solved and not again


def _week(at: datetime, start: datetime) -> str:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = day - timedelta(days=day.weekday())
    return instant(max(monday, start)).replace("Z", ".000Z")

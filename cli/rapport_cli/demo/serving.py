"""What help desk, telephone system, surveys and agents tell of a customer's question."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rapport_cli.demo.script import DESK, HELPDESK, SURVEYS, TELEPHONY, Script

_WAIT, _TALK = timedelta(seconds=140), timedelta(seconds=312)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One ticket."""

    ticket: str
    topic: str
    channel: str
    agent: str
    subject: str
    body: str
    priority: str = "normal"
    about: str = "service"


class Survey(NamedTuple):
    """One question to a customer, and its id."""

    survey: str
    kind: str
    about: str
    ticket: str | None = None


def ask(script: Script, at: datetime, question: Question) -> None:
    created = {
        "topic": question.topic,
        "about": question.about,
        "priority": question.priority,
        "subject": question.subject,
        "body": question.body,
    }
    _tell(script, at, "ticket.created", question, created)
    given = {"agent": question.agent, "team": "tier1"}
    _tell(script, at + timedelta(minutes=2), "ticket.assigned", question, given, by="rule")


def say(
    script: Script, at: datetime, question: Question, body: str, sentiment: int | None = None
) -> None:
    """The customer writes."""
    said = {"direction": "in", "public": True, "sentiment": sentiment, "body": body}
    _tell(script, at, "ticket.message", question, said)


def reply(script: Script, at: datetime, question: Question, body: str) -> None:
    said = {"direction": "out", "agent": question.agent, "bot": False, "public": True, "body": body}
    _tell(script, at, "ticket.message", question, said, by="agent")


def resolve(script: Script, at: datetime, question: Question, resolution: str) -> None:
    solved = {"agent": question.agent, "team": "tier1", "resolution": resolution}
    _tell(script, at, "ticket.resolved", question, solved, by="agent")


def ring(script: Script, at: datetime, number: str, question: Question) -> None:
    """The customer calls about it; the call is answered, and ends."""
    answered = {"call": number, "agent": question.agent, "team": "tier1"}
    offered = {"call": number, "topic": question.topic, "queue": "service", "direction": "in"}
    ended = {"leg": 1, "talk": 312, "hold": 28, "wrap": 40, "transferred": False}
    told: list[tuple[datetime, str, dict[str, Any]]] = [
        (at, "call.offered", offered),
        (at + _WAIT, "call.answered", {**answered, "wait": 140}),
        (at + _WAIT + _TALK, "call.leg_ended", {**answered, **ended, "ticket": question.ticket}),
    ]
    for when, type_, data in told:
        script.fact(when, type_, TELEPHONY, data, via="phone")


def invite(script: Script, at: datetime, survey: Survey) -> None:
    data = {**survey._asdict(), "channel": "email"}
    script.fact(at, "survey.sent", SURVEYS, data, via="email", by="rule")


def score(
    script: Script,
    at: datetime,
    survey: Survey,
    value: int,
    comment: str | None = None,
    *,
    revision: int | None = None,
) -> None:
    """The answer to a survey; from the second `revision` on it corrects the one before."""
    data = {**survey._asdict(), "score": value, "comment": comment, "revision": revision}
    script.fact(at, "survey.responded", SURVEYS, data, via="email")


def note(script: Script, at: datetime, number: str, agent: str, body: str) -> None:
    """Pinned, for whoever serves the customer next."""
    data = {"note": number, "agent": agent, "pinned": True, "body": body}
    script.fact(at, "note.added", DESK, data)


def promise(
    script: Script, at: datetime, number: str, agent: str, what: str, due: datetime
) -> None:
    data = {"commitment": number, "agent": agent, "what": what, "due": due}
    script.fact(at, "commitment.made", DESK, data)


def keep(script: Script, at: datetime, number: str, agent: str) -> None:
    script.fact(at, "commitment.kept", DESK, {"commitment": number, "agent": agent})


def _tell(
    script: Script,
    at: datetime,
    type_: str,
    question: Question,
    data: Mapping[str, Any],
    *,
    by: str | None = None,
) -> None:
    """What the help desk says of a ticket."""
    named = {"ticket": question.ticket, **data}
    script.fact(at, type_, HELPDESK, named, via=question.channel, by=by)

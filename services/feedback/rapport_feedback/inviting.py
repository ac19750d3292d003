"""Invites customers whom somebody names: through the same gates, at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
from rapport_events.envelope import event_key
from rapport_privacy.identifiers import InvalidIdentifierError, normalise, strength
from rapport_privacy.keyring import Keyring
from rapport_runtime.database import driver
from rapport_runtime.http.problems import ApiError, FieldError
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback import store
from rapport_feedback.deciding import Tools, decide_all
from rapport_feedback.definitions import load_those
from rapport_feedback.desk import Desk
from rapport_feedback.domain.eligible import Candidate, Version, survey_id
from rapport_feedback.due import take_those
from rapport_feedback.marking import SOURCE
from rapport_feedback.schemas.surveys import AskedInvitations, InvitedView, Recipient
from rapport_feedback.tokens import make_link

_REFS: Final = ("ticket", "order", "agent", "team")

_OUTCOMES: Final = """
SELECT survey, state, reason, send_at, expires_at FROM invitation WHERE survey = ANY($1::text[])
"""


class SurveyNotLiveError(ApiError):
    """Nobody can be asked by a survey that is not live."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__("no version of this survey is live; make one go live first")


class BadRecipientError(ApiError):
    """What was given cannot name a customer. Never repeats the value: it may be personal."""

    status_code = 422

    def __init__(self, place: int, error: InvalidIdentifierError) -> None:
        pointer = f"/to/{place}/identifiers"
        super().__init__(
            f"recipient {place}: {error.reason}",
            errors=[FieldError(pointer, error.reason, "bad_identifier")],
        )


class Invitees(NamedTuple):
    """Whom to ask, and under which key. A recipient whom nobody knows is None."""

    definition: str
    key: str
    subjects: Sequence[str | None]
    asked: AskedInvitations


async def find_subjects(keyring: Keyring, to: Sequence[Recipient]) -> list[str | None]:
    """The subject of each, by the strongest identifier that is known; creates nobody.

    Raises BadRecipientError, KeyringUnavailableError.
    """
    named = [_identifiers(place, one) for place, one in enumerate(to)]
    known = await keyring.find_many({pair for pairs in named for pair in pairs})
    return [
        one.subject or next((known[pair] for pair in pairs if pair in known), None)
        for one, pairs in zip(to, named, strict=True)
    ]


async def invite(desk: Desk, invitees: Invitees, now: datetime) -> list[InvitedView]:
    """One for each, in their order. Asked again under the same key, the answer is the same.

    Raises SurveyNotLiveError, KeyringUnavailableError.
    """
    async with desk.engine.begin() as tx:
        _, live = await load_those(tx, [(invitees.definition, 0)])
        if invitees.definition not in live:
            raise SurveyNotLiveError
        candidates = {
            subject: _candidate(live[invitees.definition], subject, invitees, now)
            for subject in invitees.subjects
            if subject is not None
        }
        added = await store.add_candidates(tx, [(one, now) for one in candidates.values()])
        due = await take_those(tx, added)
        if due:
            tools = Tools(desk.settings, desk.keyring)
            await decide_all(tx, tools, due, now, delivers=invitees.asked.deliver)
        rows = await _outcomes(tx, [one.survey for one in candidates.values()])
    return [
        InvitedView(outcome="unknown")
        if subject is None
        else _view(desk, rows[candidates[subject].survey], with_link=invitees.asked.link)
        for subject in invitees.subjects
    ]


async def _outcomes(tx: AsyncConnection, surveys: Sequence[str]) -> dict[str, asyncpg.Record]:
    return {row[0]: row for row in await (await driver(tx)).fetch(_OUTCOMES, surveys)}


def _identifiers(place: int, one: Recipient) -> list[tuple[str, str]]:
    """Normalised, the strongest first."""
    given = one.identifiers or {}
    try:
        return [(kind, normalise(kind, given[kind])) for kind in sorted(given, key=strength)]
    except InvalidIdentifierError as error:
        raise BadRecipientError(place, error) from None


def _candidate(live: Version, subject: str, invitees: Invitees, now: datetime) -> Candidate:
    definition, anchor = live.definition, f"manual:{invitees.key}"
    survey = survey_id(definition.id, None, subject, anchor)
    refs = {name: getattr(invitees.asked, name) for name in _REFS}
    return Candidate(
        survey=survey,
        definition=definition.id,
        version=live.version,
        kind=definition.kind,
        about=definition.about,
        rule=None,
        anchor=anchor,
        subject=subject,
        cause=event_key(SOURCE, survey),
        happened_at=now,
        due_at=now,
        refs={name: value for name, value in refs.items() if value is not None},
    )


def _view(desk: Desk, row: asyncpg.Record, *, with_link: bool) -> InvitedView:
    survey, state, reason, send_at, expires_at = row
    link = None
    if with_link and state == "sent" and expires_at is not None:
        link = make_link(desk.settings, desk.keyring, survey, expires_at)
    return InvitedView(
        outcome=state,
        survey=survey,
        reason=reason,
        send_at=send_at if state == "waiting" else None,
        expires_at=expires_at,
        link=link,
    )

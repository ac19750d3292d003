"""The Kafka door: keeps what decides who is asked level with the log."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS
from rapport_privacy.keyring import Keyring, KeyringUnavailableError
from rapport_runtime import people
from rapport_runtime.database import driver
from rapport_runtime.subscription import Derived, Subscription
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback import from_log, loops, marking, rhythm, store
from rapport_feedback.definitions import load_watch
from rapport_feedback.domain.asking import Policy, allowed_at
from rapport_feedback.domain.eligible import Candidate, Watch
from rapport_feedback.domain.reading import Known, Told, case_of, matters, read, read_cases
from rapport_feedback.domain.respondent import pack
from rapport_feedback.heard import NO_COMMENTS, open_comments, take_from_log
from rapport_feedback.loop_words import take_loop_words
from rapport_feedback.settings import FeedbackSettings

PROJECTOR: Final = "feedback.v1"
TOPICS: Final = (INTERACTIONS.name, CUSTOMERS.name, FEEDBACK.name, ENGAGEMENT.name)

_ANSWERED: Final = "survey.responded.v1"

_MANY: Final = 1_000
"""From so many events on another thread reads them, so that an API beside the worker lives."""


class Tools(NamedTuple):
    """What the projection needs besides the rows. `keyrings`: one, once it is opened."""

    settings: FeedbackSettings
    policy: Policy
    keyrings: Sequence[Keyring]


def subscription(settings: FeedbackSettings, keyrings: Sequence[Keyring] = ()) -> Subscription:
    """The projection under these settings; without a keyring it reads no comment."""
    tools = Tools(settings, settings.asking.policy(), keyrings)

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        return await _apply(tx, batch, tools)

    return Subscription(name=PROJECTOR, topics=TOPICS, apply=apply)


async def _apply(tx: AsyncConnection, batch: Sequence[Record], tools: Tools) -> Sequence[Derived]:
    answers = [record for record in batch if record.envelope.type == _ANSWERED]
    comments = await _open(tools, answers)
    answered = {one.envelope.subject for one in answers if one.envelope.subject is not None}
    heard = await people.hear(tx, batch, answered)
    await people.lock_persons(tx, answered)
    if heard.erased:
        await store.purge(tx, heard.erased)
        await store.hurry(tx, heard.erased)
        await loops.forget(tx, heard.erased, batch[-1].envelope.recordedtime)
    watch = await load_watch(tx, datetime.now(UTC))
    told = [one for one in (_tell(record, watch) for record in batch) if one is not None]
    if told:
        await _read(tx, told, watch, tools.policy)
    await rhythm.go_on(tx, await marking.mark(tx, batch), tools.policy)
    await take_loop_words(tx, batch)
    derived = await take_from_log(tx, answers, tools.settings, comments)
    await from_log.take_words(tx, batch)
    return derived


async def _open(tools: Tools, answers: Sequence[Record]) -> Mapping[bytes, str]:
    """What customers wrote, which only says what they wrote about. Raises ConnectionError."""
    for keyring in tools.keyrings if answers else ():
        try:
            return await open_comments(keyring, answers)
        except KeyringUnavailableError as error:
            raise ConnectionError("the keyring does not answer") from error
    return NO_COMMENTS


def _tell(record: Record, watch: Watch) -> Told | None:
    """Of what we ourselves told only what changes whom we may ask; to be told is no visit."""
    if matters(record.envelope.type, watch):
        return record, decode_data(record.envelope)
    return (record, None) if record.topic == INTERACTIONS.name else None


async def _read(tx: AsyncConnection, told: Sequence[Told], watch: Watch, policy: Policy) -> None:
    known = await _load(tx, told, watch)
    tickets = frozenset(known.tickets)
    before = {subject: pack(state) for subject, state in known.respondents.items()}
    # A case first: who resolved it may have been told later in the batch.
    read_cases(told, known.tickets)
    if len(told) < _MANY:
        candidates = read(told, known, watch)
    else:
        candidates = await asyncio.to_thread(read, told, known, watch)
    await store.save_respondents(tx, known.respondents, before)
    await store.save_tickets(tx, known.tickets, tickets)
    added = await store.add_candidates(tx, [(one, _when(one, known, policy)) for one in candidates])
    again = await rhythm.begin_again(tx, candidates, added)
    await store.add_candidates(tx, [(one, _when(one, known, policy)) for one in again])


async def _load(tx: AsyncConnection, told: Sequence[Told], watch: Watch) -> Known:
    subjects = {record.envelope.subject for record, _ in told} - {None}
    wanted = {subject for subject in subjects if subject is not None}
    members: dict[str, Sequence[str]] = {}
    if watch.counts:
        users = {
            record.envelope.subject
            for record, data in told
            if isinstance(data, wire.FeatureUsed) and record.envelope.subject is not None
        }
        persons = await people.read_persons(await driver(tx), users)
        members = {subject: persons.of(subject).members for subject in users}
        wanted.update(*members.values())
    tickets = {case for case in (case_of(data) for _, data in told) if case is not None}
    return Known(
        await store.load_respondents(tx, wanted),
        await store.load_tickets(tx, tickets) if tickets else {},
        members,
    )


def _when(candidate: Candidate, known: Known, policy: Policy) -> datetime:
    return allowed_at(candidate.due_at, known.respondents[candidate.subject], policy)

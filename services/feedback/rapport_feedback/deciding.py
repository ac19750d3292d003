"""Decides about everybody whose time has come: they are asked, or it is said why not."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import structlog
from rapport_privacy.crypto import DataKey
from rapport_privacy.keyring import Keyring, KeyringUnavailableError
from rapport_runtime import outbox
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.people import Persons, lock_persons
from rapport_runtime.subscription import Derived, Resources
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback import store, telling
from rapport_feedback.definitions import load_those
from rapport_feedback.domain.asking import (
    Case,
    Invited,
    Later,
    NotInvited,
    Outcome,
    Person,
    allowed_at,
    decide,
    longest_memory,
)
from rapport_feedback.domain.eligible import Version, next_period
from rapport_feedback.due import Due, Share, load_people, settle, take_due
from rapport_feedback.level import Level
from rapport_feedback.settings import FeedbackSettings

BATCH: Final = 2_000
_AT_ONCE: Final = 3
_RETRY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Tools(NamedTuple):
    """What deciding needs besides the rows."""

    settings: FeedbackSettings
    keyring: Keyring


class Decided(NamedTuple):
    """What became of one invitation."""

    case: Case
    outcome: Outcome


async def ask(resources: Resources, tools: Tools, stop: asyncio.Event) -> None:
    """Until `stop`; any number of processes may do so at once."""
    level = Level(resources, tools.settings)
    while not stop.is_set():
        try:
            is_level = await level.is_reached()
            if is_level:
                await ask_due(resources, tools, stop)
            await pause(stop, tools.settings.asking.decide_seconds)
        except (*WAITED_FOR, KeyringUnavailableError) as error:
            if not (isinstance(error, KeyringUnavailableError) or is_environment(error)):
                raise
            # Whatever answers next may be an older database: it must catch up first.
            level.forget()
            log.warning("asking waits", reason=type(error).__name__)
            await pause(stop, _RETRY_SECONDS)


async def ask_due(resources: Resources, tools: Tools, stop: asyncio.Event) -> int:
    """Everybody who is due, until `stop`; how many.

    Of many, some batches at a time: while one is with the database, another one is decided. They
    are of different people: who is locked by one would keep another waiting for its commit.
    """
    taken = await ask_once(resources, tools, datetime.now(UTC))
    if taken < BATCH:
        return taken
    shares = [Share(number, _AT_ONCE) for number in range(_AT_ONCE)]
    works = [_ask_on(resources, tools, stop, share) for share in shares]
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
        taken += result
    return taken


async def _ask_on(resources: Resources, tools: Tools, stop: asyncio.Event, share: Share) -> int:
    total = 0
    while not stop.is_set():
        taken = await ask_once(resources, tools, datetime.now(UTC), share=share)
        total += taken
        if taken < BATCH:
            break
    return total


async def ask_once(
    resources: Resources,
    tools: Tools,
    now: datetime,
    limit: int = BATCH,
    share: Share | None = None,
) -> int:
    """One batch of those who are due, in one transaction; how many."""
    failpoint("before_take_due")
    async with resources.engine.begin() as tx:
        due = await take_due(tx, now, limit, share)
        if due:
            await decide_all(tx, tools, due, now)
            failpoint("before_decide_commit")
    failpoint("after_decide_commit")
    return len(due)


async def decide_all(
    tx: AsyncConnection, tools: Tools, due: Sequence[Due], now: datetime, *, delivers: bool = True
) -> list[Decided]:
    """Decides in the order in which they were due, and writes it down with what follows.

    Somebody with several surveys is asked one of them: the later ones see the first.
    """
    persons = await lock_persons(tx, {one.candidate.subject for one in due})
    failpoint("after_lock_persons")
    wanted = sorted({(one.candidate.definition, one.candidate.version) for one in due})
    known, live = await load_those(tx, wanted)
    policy = tools.settings.asking.policy()
    since = now - longest_memory(policy, known.values())
    people = await load_people(tx, persons, {one.candidate.anchor for one in due}, since)
    decided = []
    for one in sorted(due, key=lambda one: (one.send_at, one.candidate.survey)):
        id_, version = one.candidate.definition, one.candidate.version
        case = Case(one.candidate, known[id_, version], id_ in live, one.send_at, delivers)
        person = people[persons.of(one.candidate.subject).key]
        decided.append(Decided(case, decide(case, person, policy, now)))
    decided, keys = await _with_keys(tools.keyring, decided)
    await settle(tx, decided, now)
    letters = telling.Letters.of(tools.settings, tools.keyring)
    await outbox.add(tx, [fact for one in decided for fact in _facts(one, keys, letters, now)])
    await _go_on(tx, tools, decided, live, (persons, people))
    return decided


async def _with_keys(
    keyring: Keyring, decided: Sequence[Decided]
) -> tuple[list[Decided], Mapping[str, DataKey]]:
    """Without a key nothing can be sealed for somebody: they were erased a moment ago."""
    subjects = {one.case.candidate.subject for one in decided if isinstance(one.outcome, Invited)}
    found = await keyring.keys_of(subjects) if subjects else {}
    keys = {subject: key for subject, key in found.items() if isinstance(key, DataKey)}
    checked = [
        one._replace(outcome=NotInvited("erased"))
        if isinstance(one.outcome, Invited) and one.case.candidate.subject not in keys
        else one
        for one in decided
    ]
    return checked, keys


def _facts(
    one: Decided, keys: Mapping[str, DataKey], letters: telling.Letters, now: datetime
) -> Sequence[Derived]:
    case, outcome = one
    match outcome:
        case Invited():
            told = telling.sent(case, outcome, now)
            if not case.delivers:
                return (told,)
            key = keys[case.candidate.subject]
            return told, telling.action(case, outcome, key, now, letters)
        case NotInvited():
            return (telling.not_invited(case, outcome, now),)
        case Later():
            return ()


async def _go_on(
    tx: AsyncConnection,
    tools: Tools,
    decided: Sequence[Decided],
    live: Mapping[str, Version],
    who: tuple[Persons, Mapping[str, Person]],
) -> None:
    """A rhythm goes on, whatever became of this time; it ends with its survey or its person."""
    persons, people = who
    policy = tools.settings.asking.policy()
    scheduled = []
    for case, outcome in decided:
        version = live.get(case.candidate.definition)
        if version is None or outcome == NotInvited("erased") or isinstance(outcome, Later):
            continue
        following = next_period(case.candidate, version)
        if following is not None:
            person = people[persons.of(following.subject).key]
            scheduled.append((following, allowed_at(following.due_at, person.respondent, policy)))
    await store.add_candidates(tx, scheduled)

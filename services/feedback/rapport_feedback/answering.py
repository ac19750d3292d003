"""Records an answer, once and whole, whatever channel it came by.

The answer, what is to be told of it, its meaning and its follow-up are one transaction: all of it
is there, or nothing. The first answer of a survey is the only first one; what comes later is a
correction, a further revision of the same survey.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rapport_privacy.crypto import DataKey, Erased
from rapport_privacy.keyring import Keyring
from rapport_runtime import outbox
from rapport_runtime.database import Tx, driver
from rapport_runtime.people import lock_persons
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback import answer_rows
from rapport_feedback.answer_rows import StoredAnswer
from rapport_feedback.domain.answer import AnswerRow, NewAnswer
from rapport_feedback.domain.followup import LoopTerms
from rapport_feedback.follow_up import Answered, follow_first, follow_up_all
from rapport_feedback.responded import fact_of, personal_of, row_of
from rapport_feedback.sealing import with_personal
from rapport_feedback.settings import FeedbackSettings

FIRST: Final = 1

_HOLD: Final = """
SELECT erased_at IS NOT NULL FROM person_subject WHERE subject_id = $1::text::uuid FOR SHARE
"""

_HOLD_FREE: Final = """
SELECT subject_id::text, erased_at IS NOT NULL FROM person_subject
WHERE subject_id = ANY($1::text[]::uuid[]) FOR SHARE SKIP LOCKED
"""
"""Whoever is locked is decided about or erased: their answer waits, and its neighbours do not."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer is there, and will be told of."""

    answer: AnswerRow


@dataclass(frozen=True, slots=True)
class AlreadyAnswered:
    """Somebody was first: another click, another tab, another channel."""


@dataclass(frozen=True, slots=True)
class PersonErased:
    """Whoever was asked does not want to be known any more: nothing is kept."""


Outcome = Recorded | AlreadyAnswered | PersonErased


class Given(NamedTuple):
    """A first answer, with the key of who gave it."""

    key: DataKey | Erased
    new: NewAnswer
    terms: LoopTerms
    """Of the survey."""


async def key_of(keyring: Keyring, subject: str) -> DataKey | Erased:
    """With which an answer of the subject is sealed; to be asked for before the transaction.

    A key that was lost is as good as one that was destroyed. Raises KeyringUnavailableError.
    """
    return (await keyring.keys_of([subject])).get(subject, Erased())


async def record(
    tx: AsyncConnection,
    key: DataKey | Erased,
    new: NewAnswer,
    settings: FeedbackSettings,
    revision: int = FIRST,
) -> Outcome:
    """The first answer to a survey, or the revision after the newest.

    AlreadyAnswered: there is an answer, or that revision, already.
    """
    if isinstance(key, Erased) or await _is_erased(tx, new.survey.subject):
        return PersonErased()
    one = _prepare(key, new, revision)
    add = answer_rows.add_first if revision == FIRST else answer_rows.add_next
    if not await add(tx, [one.stored]):
        return AlreadyAnswered()
    follows = await follow_up_all(tx, [one.answered], settings)
    await outbox.add(tx, [one.fact, *follows])
    return Recorded(one.stored.row)


async def record_first(
    tx: Tx, several: Sequence[Given], settings: FeedbackSettings
) -> list[Outcome | None]:
    """The same for first answers of any number, in a constant number of statements.

    None: nothing was done about this one, which needs a transaction of its own.
    """
    erased = await _hold(tx, several)
    outcomes: dict[str, Outcome | None] = {}
    prepared: dict[str, _Prepared] = {}
    for key, new, _ in several:
        survey, subject = new.survey.id, new.survey.subject
        if survey in prepared or survey in outcomes:
            continue
        if isinstance(key, Erased) or (subject is not None and erased.get(subject)):
            outcomes[survey] = PersonErased()
        elif subject is not None and subject not in erased:
            outcomes[survey] = None
        else:
            prepared[survey] = _prepare(key, new, FIRST)
    # In one order everywhere: of two transactions with the same surveys one waits, never both.
    added = await answer_rows.add_first(tx, [prepared[one].stored for one in sorted(prepared)])
    new_ones = [one for survey, one in prepared.items() if survey in added]
    terms = {one.new.survey.id: one.terms for one in several}
    follows = await follow_first(
        tx,
        [one.answered for one in new_ones],
        [terms[one.stored.row.survey] for one in new_ones],
        settings,
    )
    await outbox.add(tx, [*(one.fact for one in new_ones), *follows])
    for survey, one in prepared.items():
        outcomes[survey] = Recorded(one.stored.row) if survey in added else AlreadyAnswered()
    return _in_order(several, outcomes)


def _in_order(
    several: Sequence[Given], outcomes: Mapping[str, Outcome | None]
) -> list[Outcome | None]:
    """Of several answers to one survey the first that came is the one that was recorded."""
    told: list[Outcome | None] = []
    seen: set[str] = set()
    for _, new, _ in several:
        outcome = outcomes[new.survey.id]
        is_repeat = new.survey.id in seen and isinstance(outcome, Recorded)
        told.append(AlreadyAnswered() if is_repeat else outcome)
        seen.add(new.survey.id)
    return told


class _Prepared(NamedTuple):
    stored: StoredAnswer
    answered: Answered
    fact: Derived


def _prepare(key: DataKey, new: NewAnswer, revision: int) -> _Prepared:
    fact = with_personal(key, fact_of(new, revision), personal_of(new.answers))
    answer = row_of(new, revision, datetime.now(UTC))
    return _Prepared(
        StoredAnswer(answer, fact.data.get("pii"), new.language),
        Answered(answer, new.answers.comment, new.language),
        fact,
    )


async def _hold(tx: Tx, several: Iterable[Given]) -> dict[str, bool]:
    """Those who could be held, and whether they were erased."""
    subjects = {one.new.survey.subject for one in several} - {None}
    rows = await (await driver(tx)).fetch(_HOLD_FREE, list(subjects)) if subjects else ()
    return dict(tuple(row) for row in rows)


async def _is_erased(tx: AsyncConnection, subject: str | None) -> bool:
    """Whoever erases the person waits until the answer is there, or is seen here.

    Who was invited has a row that can be held; whoever is new here gets one. An erasure reaches
    the row of each subject of a person, so that of the one who answered is enough.
    """
    if subject is None:
        return False
    held = await (await driver(tx)).fetchrow(_HOLD, subject)
    if held is None:
        return (await lock_persons(tx, [subject])).of(subject).erased
    is_erased: bool = held[0]
    return is_erased

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
from rapport_runtime.database import driver
from rapport_runtime.people import lock_persons
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback import answer_rows
from rapport_feedback.answer_rows import StoredAnswer
from rapport_feedback.domain.answer import AnswerRow, NewAnswer
from rapport_feedback.follow_up import Answered, follow_up_all
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
    """An answer, with the key of who gave it."""

    key: DataKey | Erased
    new: NewAnswer


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
    await _tell(tx, [one], settings)
    return Recorded(one.stored.row)


async def record_first(
    tx: AsyncConnection, several: Sequence[Given], settings: FeedbackSettings
) -> list[Outcome | None]:
    """The same for first answers of any number, in a constant number of statements.

    None: nothing was done about this one, which needs a transaction of its own.
    """
    erased = await _hold(tx, several)
    outcomes: dict[str, Outcome | None] = {}
    prepared: dict[str, _Prepared] = {}
    for key, new in several:
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
    await _tell(tx, [one for survey, one in prepared.items() if survey in added], settings)
    for survey, one in prepared.items():
        outcomes[survey] = Recorded(one.stored.row) if survey in added else AlreadyAnswered()
    return _in_order(several, outcomes)


def _in_order(
    several: Sequence[Given], outcomes: Mapping[str, Outcome | None]
) -> list[Outcome | None]:
    """Of several answers to one survey the first that came is the one that was recorded."""
    told: list[Outcome | None] = []
    seen: set[str] = set()
    for _, new in several:
        outcome = outcomes[new.survey.id]
        is_repeat = new.survey.id in seen and isinstance(outcome, Recorded)
        told.append(AlreadyAnswered() if is_repeat else outcome)
        seen.add(new.survey.id)
    return told


class _Prepared(NamedTuple):
    new: NewAnswer
    stored: StoredAnswer
    fact: Derived


def _prepare(key: DataKey, new: NewAnswer, revision: int) -> _Prepared:
    fact = with_personal(key, fact_of(new, revision), personal_of(new.answers))
    answer = row_of(new, revision, datetime.now(UTC))
    return _Prepared(new, StoredAnswer(answer, fact.data.get("pii"), new.language), fact)


async def _tell(
    tx: AsyncConnection, several: Sequence[_Prepared], settings: FeedbackSettings
) -> None:
    """Each answer, and then what follows from all of them."""
    answered = [
        Answered(one.stored.row, one.new.answers.comment, one.new.language) for one in several
    ]
    follows = await follow_up_all(tx, answered, settings)
    await outbox.add(tx, [*(one.fact for one in several), *follows])


async def _hold(tx: AsyncConnection, several: Iterable[Given]) -> dict[str, bool]:
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

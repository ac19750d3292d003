"""Records an answer, once and whole, whatever channel it came by.

The answer, what is to be told of it, its meaning and its follow-up are one transaction: all of it
is there, or nothing. The first answer of a survey is the only first one; what comes later is a
correction, a further revision of the same survey.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rapport_privacy.crypto import DataKey, Erased
from rapport_privacy.keyring import Keyring
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.people import lock_persons
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback import answer_rows
from rapport_feedback.answer_rows import StoredAnswer
from rapport_feedback.domain.answer import AnswerRow, NewAnswer
from rapport_feedback.follow_up import follow_up
from rapport_feedback.responded import fact_of, personal_of, row_of
from rapport_feedback.sealing import with_personal
from rapport_feedback.settings import FeedbackSettings

FIRST: Final = 1

_HOLD: Final = """
SELECT erased_at IS NOT NULL FROM person_subject WHERE subject_id = $1::text::uuid FOR SHARE
"""


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
    subject = new.survey.subject
    if isinstance(key, Erased) or await _is_erased(tx, subject):
        return PersonErased()
    fact = with_personal(key, fact_of(new, revision), personal_of(new.answers))
    answer = row_of(new, revision, datetime.now(UTC))
    stored = StoredAnswer(answer, fact.data.get("pii"), new.language)
    add = answer_rows.add_first if revision == FIRST else answer_rows.add_next
    if not await add(tx, stored):
        return AlreadyAnswered()
    comment = new.answers.comment
    follows = await follow_up(tx, answer, comment, settings, language=new.language)
    await outbox.add(tx, [fact, *follows])
    return Recorded(answer)


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

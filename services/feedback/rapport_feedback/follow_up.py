"""What follows from an answer, in the transaction that records it: its meaning, and a follow-up."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.domain.answer import AnswerRow
from rapport_feedback.settings import FeedbackSettings


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was recorded a moment ago."""

    answer: AnswerRow
    comment: str | None = field(default=None, repr=False)
    language: str | None = None
    """Of the page or the person; None: that of the invitation, if there is one."""
    historical: bool = False
    """From before we were there: understood, but nobody is sent after it."""


async def follow_up(
    tx: AsyncConnection,
    answer: AnswerRow,
    comment: str | None,
    settings: FeedbackSettings,
    *,
    language: str | None = None,
) -> Sequence[Derived]:
    """To be written into the outbox of the same transaction by the caller."""
    return await follow_up_all(tx, [Answered(answer, comment, language)], settings)


async def follow_up_all(
    _tx: AsyncConnection, _answered: Sequence[Answered], _settings: FeedbackSettings
) -> Sequence[Derived]:
    """The same for a batch, in a constant number of statements."""
    return ()

"""What somebody answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """One revision of an answer as the table keeps it, without what is sealed.

    `definition` is `id@version`; null for answers to surveys that are not ours.
    """

    survey: str
    revision: int
    event_key: bytes
    event_id: str
    definition: str | None
    kind: str
    about: str | None
    subject_id: str | None
    answered_at: datetime
    recorded_at: datetime
    is_current: bool
    score: int | None
    scores: Mapping[str, int]
    choices: Mapping[str, Sequence[str]]
    has_comment: bool
    channel: str | None
    ticket: str | None
    order: str | None
    agent: str | None
    team: str | None

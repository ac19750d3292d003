"""An answer: as it is given, and as it is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rapport_events.envelope import Channel, event_key

from rapport_feedback.domain.given import Answers
from rapport_feedback.domain.source import SOURCE


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is answered: one asking of one person, and what it was about."""

    id: str
    kind: str
    definition: str | None = None
    about: str | None = None
    subject: str | None = None
    """None: nobody knows who answered."""
    channel: str | None = None
    """By which they were asked."""
    ticket: str | None = None
    order: str | None = None
    agent: str | None = None
    team: str | None = None

    @property
    def cause(self) -> bytes:
        """What the ids of its answers are made of: a repeat says the same thing again."""
        return event_key(SOURCE, f"survey {self.id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAnswer:
    """An answer to be recorded."""

    survey: Survey
    answers: Answers
    answered_at: datetime
    via: Channel | None = None
    """Where it was given, which may be elsewhere than where they were asked."""
    language: str | None = None
    linked: tuple[str, ...] = ()
    """Subjects of further names that came with it."""
    kinds: tuple[str, ...] = ()
    """Of the names behind the subject and each of `linked`."""

"""What somebody was asked, and whether it can still be answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import orjson
from rapport_runtime.pool import Reads

from rapport_feedback.definitions import read
from rapport_feedback.domain.answer import Survey
from rapport_feedback.domain.definition import Definition

Standing = Literal["open", "answered", "expired", "erased"]

_ASKED: Final = """
SELECT definition.id || '@' || definition.version, definition.document::text, invitation.kind,
    invitation.about, invitation.subject_id::text, invitation.channel, invitation.language,
    invitation.refs::text, invitation.expires_at,
    EXISTS (SELECT FROM answer WHERE answer.survey = invitation.survey),
    person.erased_at IS NOT NULL
FROM invitation
JOIN survey_definition AS definition
    ON definition.id = invitation.definition AND definition.version = invitation.version
LEFT JOIN person_subject AS person ON person.subject_id = invitation.subject_id
WHERE invitation.survey = $1 AND invitation.state = 'sent'
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """An invitation that went out."""

    survey: Survey
    document: str
    """The definition as it is stored: equal ones ask the same."""
    language: str | None
    expires_at: datetime | None
    is_answered: bool
    is_erased: bool

    @property
    def definition(self) -> Definition:
        return read(self.document)

    def standing(self, now: datetime) -> Standing:
        if self.is_erased:
            return "erased"
        if self.is_answered:
            return "answered"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "open"


async def load_asked(reads: Reads, survey: str) -> Asked | None:
    """None: nobody was asked this."""
    row = await reads.fetchrow(_ASKED, survey)
    if row is None:
        return None
    name, document, kind, about, subject, channel, language, refs, expires_at, *standing = row
    named = orjson.loads(refs)
    return Asked(
        Survey(
            id=survey,
            kind=kind,
            definition=name,
            about=about,
            subject=subject,
            channel=channel,
            **{name: named.get(name) for name in ("ticket", "order", "agent", "team")},
        ),
        document,
        language,
        expires_at,
        *standing,
    )

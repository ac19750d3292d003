"""What somebody was asked, and whether it can still be answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

import asyncpg
import orjson
from rapport_privacy.crypto import DataKey, Erased
from rapport_privacy.keyring import Keyring
from rapport_runtime.pool import Pool, Reads

from rapport_feedback.definitions import read
from rapport_feedback.domain.answer import Survey
from rapport_feedback.domain.definition import Definition
from rapport_feedback.together import Together

_AT_ONCE: Final = 2
_MOST: Final = 100
"""Links in one look."""

_Version = tuple[str, int]

Standing = Literal["open", "answered", "expired", "erased"]

_FIELDS: Final = """
survey, definition, version, kind, about, subject_id::text, channel, language, refs::text,
    expires_at, EXISTS (SELECT FROM answer WHERE answer.survey = invitation.survey),
    EXISTS (
        SELECT FROM person_subject AS person
        WHERE person.subject_id = invitation.subject_id AND person.erased_at IS NOT NULL
    )
"""

_ONE: Final = f"""
SELECT {_FIELDS} FROM invitation WHERE survey = $1 AND state = 'sent'
"""  # noqa: S608 - our own columns
"""By itself it is planned once, the list below each time: that costs four times as much."""

_SEVERAL: Final = f"""
SELECT {_FIELDS} FROM invitation WHERE survey = ANY($1::text[]) AND state = 'sent'
"""  # noqa: S608 - our own columns

_DOCUMENT: Final = """
SELECT document::text FROM survey_definition WHERE id = $1 AND version = $2
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


class Seen(NamedTuple):
    """What there is behind a link."""

    asked: Asked | None
    key: DataKey | Erased


class Looking:
    """Links that are opened at the same moment are looked up together."""

    __slots__ = ("_documents", "_keyring", "_pool", "_together")

    def __init__(self, pool: Pool, keyring: Keyring) -> None:
        self._pool = pool
        self._keyring = keyring
        self._documents: dict[_Version, str] = {}
        self._together: Together[str, Seen] = Together(self._look, most=_MOST, at_once=_AT_ONCE)

    async def see(self, survey: str) -> Seen:
        """Raises KeyringUnavailableError, and what the driver raises."""
        return await self._together.ask(survey)

    async def _look(self, surveys: Sequence[str]) -> Sequence[Seen]:
        asked = await load_asked(self._pool, surveys, self._documents)
        subjects = {one.survey.subject for one in asked.values()} - {None}
        keys = await self._keyring.keys_of([one for one in subjects if one is not None])
        return [_seen(asked.get(survey), keys) for survey in surveys]


def _seen(asked: Asked | None, keys: Mapping[str, DataKey | Erased]) -> Seen:
    """A key that was lost is as good as one that was destroyed."""
    subject = None if asked is None else asked.survey.subject
    return Seen(asked, Erased() if subject is None else keys.get(subject, Erased()))


async def load_asked(
    reads: Reads, surveys: Sequence[str], documents: dict[_Version, str] | None = None
) -> dict[str, Asked]:
    """Those that somebody was asked. `documents`: what is known of versions, and is kept there."""
    known = {} if documents is None else documents
    if len(surveys) == 1:
        rows = await reads.fetch(_ONE, surveys[0])
    else:
        rows = await reads.fetch(_SEVERAL, surveys)
    for version in {(row[1], row[2]) for row in rows} - known.keys():
        # Nobody is asked by a draft, and what was live once never changes.
        document = await reads.fetchval(_DOCUMENT, *version)
        if document is not None:
            known[version] = document
    # What others asked, as the log tells, is none of our surveys: we know no questions of it.
    return {row[0]: _read(row, known[row[1], row[2]]) for row in rows if (row[1], row[2]) in known}


def _read(row: asyncpg.Record, document: str) -> Asked:
    survey, definition, version, kind, about, subject, channel, language, refs, *rest = row
    expires_at, is_answered, is_erased = rest
    named = orjson.loads(refs)
    return Asked(
        Survey(
            id=survey,
            kind=kind,
            definition=f"{definition}@{version}",
            about=about,
            subject=subject,
            channel=channel,
            **{name: named.get(name) for name in ("ticket", "order", "agent", "team")},
        ),
        document,
        language,
        expires_at,
        is_answered,
        is_erased,
    )

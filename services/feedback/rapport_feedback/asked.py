"""What somebody was asked, and whether it can still be answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

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

Standing = Literal["open", "answered", "expired", "erased"]

_ASKED: Final = """
SELECT invitation.survey, definition.id || '@' || definition.version, definition.document::text,
    invitation.kind, invitation.about, invitation.subject_id::text, invitation.channel,
    invitation.language, invitation.refs::text, invitation.expires_at,
    EXISTS (SELECT FROM answer WHERE answer.survey = invitation.survey),
    person.erased_at IS NOT NULL
FROM invitation
JOIN survey_definition AS definition
    ON definition.id = invitation.definition AND definition.version = invitation.version
LEFT JOIN person_subject AS person ON person.subject_id = invitation.subject_id
WHERE invitation.survey = ANY($1::text[]) AND invitation.state = 'sent'
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

    __slots__ = ("_keyring", "_pool", "_together")

    def __init__(self, pool: Pool, keyring: Keyring) -> None:
        self._pool = pool
        self._keyring = keyring
        self._together: Together[str, Seen] = Together(self._look, most=_MOST, at_once=_AT_ONCE)

    async def see(self, survey: str) -> Seen:
        """Raises KeyringUnavailableError, and what the driver raises."""
        return await self._together.ask(survey)

    async def _look(self, surveys: Sequence[str]) -> Sequence[Seen]:
        asked = await load_all(self._pool, surveys)
        subjects = {one.survey.subject for one in asked.values()} - {None}
        keys = await self._keyring.keys_of([one for one in subjects if one is not None])
        return [_seen(asked.get(survey), keys) for survey in surveys]


def _seen(asked: Asked | None, keys: Mapping[str, DataKey | Erased]) -> Seen:
    """A key that was lost is as good as one that was destroyed."""
    subject = None if asked is None else asked.survey.subject
    return Seen(asked, Erased() if subject is None else keys.get(subject, Erased()))


async def load_asked(reads: Reads, survey: str) -> Asked | None:
    """None: nobody was asked this."""
    return (await load_all(reads, [survey])).get(survey)


async def load_all(reads: Reads, surveys: Sequence[str]) -> dict[str, Asked]:
    """Those of them that somebody was asked."""
    return {row[0]: _read(*row) for row in await reads.fetch(_ASKED, surveys)}


def _read(
    survey: str, name: str, document: str, kind: str, about: str, subject: str,
    channel: str, language: str, refs: str, expires_at: datetime | None, *standing: bool,
) -> Asked:  # fmt: skip
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

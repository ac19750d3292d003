"""Stored answers with what was written in them."""

from collections.abc import Mapping
from typing import Any

from rapport_events.feedback import SurveyResponded
from rapport_privacy.crypto import Erased
from rapport_privacy.keyring import Keyring

from rapport_feedback.answer_rows import StoredAnswer
from rapport_feedback.domain.given import Answers
from rapport_feedback.sealing import Personal, Sealed, Unreadable, open_all


async def open_answers(keyring: Keyring, stored: list[StoredAnswer]) -> list[Personal]:
    """What each holds besides its clear part. Raises KeyringUnavailableError."""
    sealed = [one for one in stored if one.sealed is not None]
    opened = await open_all(
        keyring,
        [
            Sealed(one.sealed or {}, one.row.subject_id, one.row.event_id, SurveyResponded.type)
            for one in sealed
        ],
    )
    found = {one.row.revision: part for one, part in zip(sealed, opened, strict=True)}
    return [found.get(one.row.revision, {}) for one in stored]


async def answers_in(keyring: Keyring, stored: StoredAnswer) -> Answers | Erased | Unreadable:
    """All that was answered. Raises KeyringUnavailableError."""
    (personal,) = await open_answers(keyring, [stored])
    if not isinstance(personal, Mapping):
        return personal
    return answers_with(stored, personal)


def answers_with(stored: StoredAnswer, personal: Mapping[str, Any]) -> Answers:
    row = stored.row
    return Answers(
        score=row.score,
        scores=row.scores,
        choices={name: tuple(chosen) for name, chosen in row.choices.items()},
        comment=personal.get("comment"),
        texts=personal.get("texts") or {},
    )

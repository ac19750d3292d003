"""Answers that others recorded: publishers' survey tools, or this service before a restore."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_events.feedback import SurveyResponded
from rapport_privacy.keyring import Keyring
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback import answer_rows
from rapport_feedback.answer_rows import StoredAnswer
from rapport_feedback.domain.answer import AnswerRow
from rapport_feedback.domain.source import SOURCE
from rapport_feedback.follow_up import Answered, follow_up_all
from rapport_feedback.loop_words import catch_up
from rapport_feedback.sealing import Sealed, open_all
from rapport_feedback.settings import FeedbackSettings

NO_COMMENTS: Final[Mapping[bytes, str]] = {}


class _Heard(NamedTuple):
    record: Record
    stored: StoredAnswer


async def open_comments(keyring: Keyring, records: Sequence[Record]) -> dict[bytes, str]:
    """What was written, by event key, for `take_from_log`. Raises KeyringUnavailableError."""
    blobs = [(one, blob) for one in records if (blob := _sealed(_data(one))) is not None]
    opened = await open_all(
        keyring,
        (
            Sealed(blob, one.envelope.subject, one.envelope.id, one.envelope.type)
            for one, blob in blobs
        ),
    )
    return {
        one.key: comment
        for (one, _), personal in zip(blobs, opened, strict=True)
        if isinstance(personal, Mapping) and isinstance(comment := personal.get("comment"), str)
    }


async def take_from_log(
    tx: AsyncConnection,
    records: Sequence[Record],
    settings: FeedbackSettings,
    comments: Mapping[bytes, str] = NO_COMMENTS,
) -> Sequence[Derived]:
    """Lists the `survey.responded` among the records, and what follows from those that count.

    In any order and as often as they come; answers of our own that are here change nothing, and
    of people who were erased nothing is kept. Without their `comments` answers are not classified.
    The caller holds the locks of the people.
    """
    heard: dict[tuple[str, int], _Heard] = {}
    for record in records:
        data = _data(record)
        if data is None:
            continue
        one = _Heard(record, _stored(record, data, comments.get(record.key)))
        place = (one.stored.row.survey, one.stored.row.revision)
        if place not in heard or heard[place].record.order < record.order:
            heard[place] = one
    if not heard:
        return ()
    new = await answer_rows.take(tx, [one.stored for one in heard.values()])
    answered = [_answered(one, comments) for one in heard.values() if one.record.key in new]
    derived = await follow_up_all(tx, answered, settings)
    await catch_up(tx, {one.answer.survey for one in answered})
    return derived


def _answered(heard: _Heard, comments: Mapping[bytes, str]) -> Answered:
    envelope = heard.record.envelope
    comment = comments.get(heard.record.key)
    is_repeat = envelope.source == SOURCE
    row, historical = heard.stored.row, envelope.historical
    return Answered(row, comment, None, historical=historical, is_repeat=is_repeat)


def _data(record: Record) -> wire.SurveyResponded | None:
    if record.envelope.type != SurveyResponded.type:
        return None
    data = decode_data(record.envelope)
    return data if isinstance(data, wire.SurveyResponded) else None


def _sealed(data: wire.SurveyResponded | None) -> Mapping[str, Any] | None:
    if data is None or data.pii is None:
        return None
    blob: Mapping[str, Any] = msgspec.structs.asdict(data.pii)
    return blob


def _stored(record: Record, data: wire.SurveyResponded, comment: str | None) -> StoredAnswer:
    envelope, sealed = record.envelope, _sealed(data)
    row = AnswerRow(
        survey=data.survey,
        revision=data.revision or 1,
        event_key=record.key,
        event_id=envelope.id,
        definition=data.definition,
        kind=data.kind,
        about=data.about,
        subject_id=envelope.subject,
        answered_at=envelope.time,
        recorded_at=envelope.recordedtime,
        is_current=True,
        score=data.score,
        scores=data.scores or {},
        choices=data.choices or {},
        has_comment=comment is not None,
        channel=data.channel or envelope.channel,
        ticket=data.ticket,
        order=data.order,
        agent=data.agent,
        team=data.team,
    )
    return StoredAnswer(row, sealed)

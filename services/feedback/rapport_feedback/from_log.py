"""What the log says of answers and follow-ups: by publishers, and by ourselves before a restore."""

from collections.abc import Iterator, Sequence
from typing import Final

from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.classify import Said, keep, lock_answers
from rapport_feedback.domain.comments import ABOUTS, Classification

_CLASSIFIED: Final = "feedback.classified.v1"
_CLOSED: Final = "loop.closed.v1"

_CLOSE: Final = """
UPDATE loop SET state = 'closed', closed_at = said.at, outcome = said.outcome,
    informed = said.informed, remind_at = NULL
FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::bool[])
    AS said(loop, at, outcome, informed)
WHERE loop.loop = said.loop AND loop.state = 'open'
"""


async def take_words(tx: AsyncConnection, records: Sequence[Record]) -> None:
    """Takes `feedback.classified` and `loop.closed` of any topic; skips all other records.

    Our own words come back to rows that are there already, unless the database was restored.
    """
    said = list(_words(records))
    if said:
        await lock_answers(tx, {one.survey for one in said})
        await keep(tx, said)
    await _take_closed(tx, [one for one in records if one.envelope.type == _CLOSED])


def _words(records: Sequence[Record]) -> Iterator[Said]:
    for record in records:
        if record.envelope.type != _CLASSIFIED:
            continue
        data = decode_data(record.envelope)
        if not isinstance(data, wire.FeedbackClassified):
            continue
        yield Said(
            event_key=record.key,
            survey=data.survey,
            at=record.envelope.time,
            # Who does not say is taken for a machine: a person's word must not be overruled by it.
            by="person" if data.by == "person" else "rule",
            classification=Classification(
                about=next((about for about in ABOUTS if about == data.about), None),
                topics=tuple(data.topics or ()),
                sentiment=data.sentiment,
            ),
            agent=data.agent,
            definition=data.definition,
        )


async def _take_closed(tx: AsyncConnection, records: Sequence[Record]) -> None:
    closed = [(record, decode_data(record.envelope)) for record in records]
    said = {
        data.loop: (data.loop, record.envelope.time, data.outcome, data.informed)
        for record, data in closed
        if isinstance(data, wire.LoopClosed)
    }
    if said:
        columns = [list(column) for column in zip(*said.values(), strict=True)]
        await (await driver(tx)).execute(_CLOSE, *columns)

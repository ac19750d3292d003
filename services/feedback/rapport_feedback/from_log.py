"""What the log says that answers are about: by publishers, and by ourselves before a restore."""

from collections.abc import Iterator, Sequence
from typing import Final

from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.classify import Said, keep, lock_answers
from rapport_feedback.domain.comments import ABOUTS, Classification

_CLASSIFIED: Final = "feedback.classified.v1"


async def take_words(tx: AsyncConnection, records: Sequence[Record]) -> None:
    """Takes `feedback.classified` of any topic; skips all other records.

    Our own words come back to rows that are there already, unless the database was restored.
    """
    said = list(_words(records))
    if said:
        await lock_answers(tx, {one.survey for one in said})
        await keep(tx, said)


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

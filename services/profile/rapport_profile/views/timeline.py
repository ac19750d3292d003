"""Events and cards of a history."""

from collections.abc import Mapping, Sequence
from typing import Final

from rapport_profile.cards import LABELS, Run, run_title, samples
from rapport_profile.mask import Mask
from rapport_profile.money import spoken
from rapport_profile.reader import Opened
from rapport_profile.schemas.base import ErasedView, Text, UnreadableView
from rapport_profile.schemas.timeline import CardView, EventView, PlaceView
from rapport_profile.titles import title

_TEXTS: Final = ("body", "comment", "text", "resolution", "title", "what")
"""Fields that hold what somebody wrote, where an event has one."""

_TEXT_PLACES: Final = frozenset(f".{name}" for name in _TEXTS)
_SAMPLE_PLACES: Final = frozenset(f".{name}" for name in (*LABELS, "subject"))

_REFS: Final = (
    "order", "ticket", "call", "survey", "invoice", "return", "shipment", "subscription",
    "appointment", "note", "task", "commitment", "message", "conversation", "decision",
    "loop", "action", "offer", "suggestion",
)  # fmt: skip


def event(opened: Opened, topics: Sequence[str], mask: Mask) -> EventView:
    """The event as it was published, plus its place in the log."""
    envelope, stored = opened.envelope, opened.stored
    return EventView(
        key=stored.key.hex(),
        id=envelope.id,
        source=envelope.source,
        type=envelope.type,
        time=envelope.time,
        recordedtime=envelope.recordedtime,
        subject=envelope.subject,
        linked=list(envelope.linked_subjects),
        channel=envelope.channel,
        initiatedby=envelope.initiatedby,
        correlationid=envelope.correlationid,
        causationid=envelope.causationid,
        traceparent=envelope.traceparent,
        historical=envelope.historical,
        data=mask.fields("events[].data", opened),
        position=PlaceView(
            topic=topics[stored.topic], partition=stored.partition, offset=stored.offset
        ),
    )


def card(run: Run, opened: Mapping[bytes, Opened], mask: Mask) -> CardView:
    """`opened`: the run's sampled events, by event key."""
    sampled = [opened[key] for key in run.sampled if key in opened]
    told = [_told(one, mask) for one in sampled]
    alone = told[0] if len(run.glances) == 1 and told else None
    return CardView(
        title=run_title(run) if alone is None else title(run.newest.type, _spoken(alone)),
        type=run.newest.type,
        channel=run.newest.channel,
        time=run.newest.place.time,
        first_time=run.oldest.place.time,
        last_time=run.newest.place.time,
        count=len(run.glances),
        counts=dict(run.counts),
        samples=samples(told) if alone is None else [],
        text=_text(alone or {}),
        refs={name: ref for name in _REFS if isinstance(ref := (alone or {}).get(name), str)},
        source=sampled[0].envelope.source if sampled else "",
        event=run.newest.place.key.hex(),
    )


def _told(opened: Opened, mask: Mask) -> dict[str, object]:
    """What an event says, as far as a card may repeat it."""
    own = Mask(sees_personal=mask.sees_personal)
    fields = own.fields("", opened)
    if own.masked & _TEXT_PLACES:
        mask.masked.add("cards[].text")
    if own.masked & _SAMPLE_PLACES:
        mask.masked |= {"cards[].title", "cards[].samples"}
    if own.erased:
        mask.erased.add("cards[]")
    return fields


def _text(fields: Mapping[str, object]) -> Text:
    for name in _TEXTS:
        found = fields.get(name)
        if isinstance(found, str | ErasedView | UnreadableView):
            return found
    return None


def _spoken(fields: Mapping[str, object]) -> dict[str, object]:
    """Amounts and times as people say them."""
    spoken_fields = dict(fields)
    currency = fields.get("currency")
    for name in ("amount", "value"):
        amount = fields.get(name)
        if isinstance(currency, str) and isinstance(amount, int):
            spoken_fields[name] = spoken(amount, currency)
    for name in ("due", "eta", "eta_after", "at"):
        moment = fields.get(name)
        if isinstance(moment, str):
            spoken_fields[name] = moment[:16].replace("T", " ")
    return spoken_fields

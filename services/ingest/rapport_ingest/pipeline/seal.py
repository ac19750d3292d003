"""From a checked draft and the keys of its person to the record that goes into the log. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from rapport_events.codec import encode
from rapport_events.envelope import event_key
from rapport_privacy.crypto import DataKey, encode_base64, fingerprint, seal
from rapport_privacy.keyring import Resolved
from rapport_runtime.delivery import Outgoing

from rapport_ingest.clock import rfc3339
from rapport_ingest.draft import Draft
from rapport_ingest.pipeline.check import Checked, subject_field

_CONTENT_TYPE: Final = ("content-type", b"application/cloudevents+json")


@dataclass(frozen=True, slots=True)
class Sealed:
    """An event ready for the log: nothing in `record` names its customer."""

    checked: Checked
    subject: str | None
    linked: tuple[str, ...]
    record: Outgoing


Mac = Callable[[str, bytes], bytes]
"""A keyed hash for one purpose, under a key that stays: `Keyring.mac_local`."""


def seal_event(
    checked: Checked, people: Sequence[Resolved], recorded: datetime, mac: Mac
) -> Sealed:
    """The record of one event; `people` are its person and, of an alias or merge, the other one.

    `recorded` is when ingest accepted it; aware, UTC.
    """
    draft, person = checked.draft, people[0]
    key = person.key
    linked = _linked(people)
    data = _data(checked, people)
    blob = _personal(checked, key, person.subject)
    if blob is not None:
        data["pii"] = blob
    own_key = event_key(draft.source, draft.id)
    partition_key = person.subject or own_key.hex()
    value = encode(
        {
            "id": draft.id,
            "source": draft.source,
            "type": draft.type,
            "subject": person.subject,
            "linked": ",".join(linked) or None,
            "identifiedby": _kinds(people, linked),
            "time": draft.occurred,
            "recordedtime": recorded,
            "partitionkey": partition_key,
            "correlationid": draft.correlation_id,
            "causationid": draft.causation_id,
            "traceparent": draft.traceparent,
            "channel": draft.channel,
            "initiatedby": draft.initiated_by,
            "historical": draft.historical,
            "fingerprint": _fingerprint(draft, person, mac),
        },
        data,
    )
    record = Outgoing(partition_key.encode(), value, _headers(draft))
    return Sealed(checked, person.subject, linked, record)


def _fingerprint(draft: Draft, person: Resolved, mac: Mac) -> str:
    said = draft.fingerprint_bytes()
    if person.subject is not None:
        return fingerprint(person.key, said)
    # The key of facts that name nobody is another one each month; a retry may come after its end.
    return encode_base64(mac("fingerprint", said)[:16])


def _linked(people: Sequence[Resolved]) -> tuple[str, ...]:
    first = people[0]
    if len(people) == 1:
        return first.linked
    named = [*first.linked, *(subject for one in people[1:] for subject in _subjects(one))]
    return tuple(dict.fromkeys(subject for subject in named if subject != first.subject))


def _kinds(people: Sequence[Resolved], linked: Sequence[str]) -> str | None:
    """How the subject and each linked one was named; None when the event names nobody."""
    first = people[0]
    if first.subject is None:
        return None
    if len(people) == 1:
        return ",".join(first.kinds)
    kinds = {
        subject: kind
        for one in people
        for subject, kind in zip(_subjects(one), one.kinds, strict=True)
    }
    return ",".join(kinds[subject] for subject in (first.subject, *linked))


def _subjects(one: Resolved) -> tuple[str, ...]:
    return one.linked if one.subject is None else (one.subject, *one.linked)


def _data(checked: Checked, people: Sequence[Resolved]) -> dict[str, Any]:
    draft = checked.draft
    context: dict[str, Any] = {"clock": draft.clock}
    if draft.library is not None:
        context["library"] = draft.library
    data = {**checked.clear, "context": context}
    if len(people) > 1 and (name := subject_field(draft.type)) is not None:
        data[name] = people[1].subject
    return data


def _personal(checked: Checked, key: DataKey, subject: str | None) -> dict[str, Any] | None:
    draft = checked.draft
    if not checked.personal and not draft.context:
        return None
    plain = {**checked.personal, "context": draft.context} if draft.context else checked.personal
    plaintext = orjson.dumps(plain)
    return seal(key, subject=subject, event_id=draft.id, type_=draft.type, plaintext=plaintext)


def _headers(draft: Draft) -> list[tuple[str, bytes]]:
    return [
        _CONTENT_TYPE,
        ("ce_id", draft.id.encode()),
        ("ce_type", draft.type.encode()),
        ("ce_source", draft.source.encode()),
        ("ce_time", rfc3339(draft.occurred).encode()),
    ]

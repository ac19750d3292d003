"""What of an event stands in the log, and under whose key."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
from rapport_events.codec import decode
from rapport_ingest.pipeline.check import Checked, check_draft
from rapport_ingest.pipeline.permission import PUBLISHER
from rapport_ingest.pipeline.seal import Sealed, seal_event
from rapport_privacy.crypto import unseal
from rapport_privacy.keyring import Resolved
from rapport_privacy.root import RootKey

from tests.support.privacy import a_data_key
from tests.support.publishers import call, cloudevent, from_cloudevent, from_segment, track

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAC = RootKey(os.urandom(32)).mac_local


def _somebody(*linked: str) -> Resolved:
    return Resolved(str(uuid4()), linked, a_data_key(), ("user_id", *("email" for _ in linked)))


def _visitor(*linked: str) -> Resolved:
    kinds = ("anonymous_id", *("phone" for _ in linked))
    return Resolved(str(uuid4()), linked, a_data_key(), kinds)


def _nobody() -> Resolved:
    return Resolved(None, (), a_data_key())


def _checked(event: dict[str, Any]) -> Checked:
    read = from_cloudevent if "specversion" in event else from_segment
    judged = check_draft(read(event), PUBLISHER)
    assert isinstance(judged, Checked), judged
    return judged


def _seal(event: dict[str, Any], *people: Resolved, at: datetime = NOW) -> Sealed:
    return seal_event(_checked(event), people, at, MAC)


def _data(sealed: Sealed) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(bytes(decode(sealed.record.value).data))
    return data


ORDER = track("Order Completed", order_id="O-1", total=19.9, currency="EUR", mood="good")


def test_personal_words_are_under_the_customers_key_and_nothing_of_them_is_in_clear() -> None:
    ada = _somebody()

    sealed = _seal(ORDER | {"context": {"ip": "203.0.113.9"}}, ada)

    data = _data(sealed)
    opened = unseal(
        ada.key, data["pii"], subject=ada.subject, event_id="m-1", type_="order.placed.v1"
    )
    assert (data["order"], data["amount"], data["currency"]) == ("O-1", 1990, "EUR")
    assert orjson.loads(opened) == {
        "properties": {"mood": "good"},
        "context": {"ip": "203.0.113.9"},
    }
    assert b"good" not in sealed.record.value
    assert b"203.0.113.9" not in sealed.record.value


def test_an_event_without_personal_words_has_no_blob() -> None:
    event = cloudevent("page.viewed.v1", {"page": "home"})

    assert "pii" not in _data(_seal(event, _somebody()))


def test_it_lies_in_the_partition_of_its_customer() -> None:
    ada = _somebody(str(uuid4()))

    sealed = _seal(ORDER, ada)

    envelope = decode(sealed.record.value)
    assert sealed.record.key.decode() == ada.subject == envelope.subject == envelope.partitionkey
    assert envelope.linked_subjects == ada.linked
    assert envelope.recordedtime == NOW


def test_what_names_nobody_lies_by_its_own_key() -> None:
    event = cloudevent("page.viewed.v1", {"page": "home"})

    sealed, again = _seal(event, _nobody()), _seal(event, _nobody())

    assert sealed.subject is None
    assert sealed.record.key == again.record.key
    assert len(bytes.fromhex(sealed.record.key.decode())) == 16


def test_both_sides_of_an_alias_are_named_by_their_subjects_only() -> None:
    ada, before = _somebody(), _somebody(str(uuid4()))

    sealed = _seal(call("alias", previousId="anon-1"), ada, before)

    assert _data(sealed)["previous_subject"] == before.subject
    assert sealed.linked == (before.subject, *before.linked)
    assert b"anon-1" not in sealed.record.value


def test_every_subject_of_an_event_is_told_with_its_kind_and_never_with_its_value() -> None:
    sealed = _seal(ORDER, _somebody(str(uuid4())))

    assert decode(sealed.record.value).identifiedby == "user_id,email"


def test_both_sides_of_an_alias_are_told_with_their_kinds() -> None:
    ada, before = _somebody(str(uuid4())), _visitor(str(uuid4()))

    envelope = decode(_seal(call("alias", previousId="anon-1"), ada, before).record.value)

    assert envelope.identifiedby == "user_id,email,anonymous_id,phone"
    assert envelope.kinds[before.subject or ""] == "anonymous_id"


def test_both_sides_that_share_an_address_tell_it_once() -> None:
    mailbox = str(uuid4())
    ada, before = (
        _somebody(mailbox),
        Resolved(str(uuid4()), (mailbox,), a_data_key(), ("u", "email")),
    )

    envelope = decode(_seal(call("alias", previousId="anon-1"), ada, before).record.value)

    assert envelope.linked_subjects == (mailbox, before.subject)
    assert envelope.identifiedby == "user_id,email,u"


def test_what_names_nobody_tells_no_kinds() -> None:
    event = cloudevent("page.viewed.v1", {"page": "home"})

    assert decode(_seal(event, _nobody()).record.value).identifiedby is None


def test_an_alias_to_oneself_links_nobody() -> None:
    ada = _somebody()

    assert _seal(call("alias", previousId="u-1"), ada, ada).linked == ()


def test_the_fingerprint_is_of_what_was_said_and_not_of_when_it_came() -> None:
    ada = _somebody()
    first, late = _seal(ORDER, ada), _seal(ORDER, ada, at=NOW + timedelta(days=1))
    other = _seal(track("Order Completed", order_id="O-2"), ada)

    fingerprints = [decode(one.record.value).fingerprint for one in (first, late, other)]

    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


def test_a_retry_of_what_names_nobody_is_the_same_after_the_month_has_ended() -> None:
    event = cloudevent("page.viewed.v1", {"page": "home", "title": "Home"})

    november, december = _seal(event, _nobody()), _seal(event, _nobody())

    fingerprints = {decode(one.record.value).fingerprint for one in (november, december)}
    assert len(fingerprints) == 1


def test_headers_tell_routers_what_it_is_and_never_whose() -> None:
    headers = dict(_seal(ORDER, _somebody()).record.headers)

    assert headers.keys() == {"content-type", "ce_id", "ce_type", "ce_source", "ce_time"}
    assert headers["content-type"] == b"application/cloudevents+json"
    assert headers["ce_type"] == b"order.placed.v1"

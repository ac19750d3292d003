"""What is understood of what PostHog's clients send."""

from dataclasses import replace
from typing import Any

import pytest
from rapport_ingest.adapters import posthog
from rapport_ingest.canonical import UnreadableBodyError, parse

from tests.support.publishers import (
    ARRIVAL,
    captured,
    from_posthog,
    only_draft,
    only_rejection,
)


def test_an_event_is_read_by_its_name_as_any_track_event() -> None:
    draft = from_posthog(
        captured(
            "Order Completed",
            properties={
                "order_id": "O-1",
                "revenue": 19.9,
                "currency": "EUR",
                "$os": "Linux",
                "$lib": "posthog-python",
                "$lib_version": "7.91.1",
                "$geoip_disable": True,
                "token": "phc_secret",
            },
        )
    )

    assert draft.type == "order.placed.v1"
    assert draft.data == {"order": "O-1", "amount": 1990, "currency": "EUR"}
    assert draft.context == {"$os": "Linux"}
    assert draft.library == "posthog-python/7.91.1"
    assert draft.identifiers == {"user_id": "u-1"}


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", ["$identify", "$set"])
def test_what_is_set_on_a_person_are_traits(name: str, inside: bool) -> None:  # noqa: FBT001
    traits: dict[str, Any] = {
        "$set": {"email": "ada@example.com"},
        "$set_once": {"first_seen": "2026-01-01"},
    }

    draft = from_posthog(captured(name, **({"properties": traits} if inside else traits)))

    assert draft.type == "customer.identified.v1"
    assert draft.data == {"traits": {"first_seen": "2026-01-01", "email": "ada@example.com"}}
    assert draft.identifiers == {"user_id": "u-1", "email": "ada@example.com"}


def test_traits_that_ride_on_another_event_are_kept_and_name_the_person() -> None:
    event = captured("Seen", properties={"$set": {"plan": "pro", "email": "ada@example.com"}})

    draft = from_posthog(event)

    assert draft.context == {"traits": {"plan": "pro", "email": "ada@example.com"}}
    assert draft.identifiers["email"] == "ada@example.com"


def test_an_identify_links_what_was_anonymous_before() -> None:
    draft = from_posthog(captured("$identify", properties={"$anon_distinct_id": "a-1"}))

    assert draft.identifiers == {"user_id": "u-1", "anonymous_id": "a-1"}


@pytest.mark.parametrize(
    "properties",
    [
        {"$is_identified": False},
        {"$process_person_profile": False},
        {"$device_id": "u-1"},
    ],
)
def test_an_id_is_anonymous_where_the_client_says_so(properties: dict[str, Any]) -> None:
    draft = from_posthog(captured("Seen", properties=properties))

    assert draft.identifiers == {"anonymous_id": "u-1"}


def test_an_alias_is_a_symmetric_link() -> None:
    """publishers.md, line 9: the Python and the Node client put the old id into opposite places."""
    python = from_posthog(captured("$create_alias", distinct_id="a", properties={"alias": "b"}))
    node = from_posthog(captured("$create_alias", distinct_id="b", properties={"alias": "a"}))

    assert python.identifiers == node.other == {"user_id": "a", "anonymous_id": "a"}
    assert python.other == node.identifiers == {"user_id": "b", "anonymous_id": "b"}
    assert python.type == "customer.aliased.v1"


def test_a_group_described_outside_of_any_visit_names_nobody() -> None:
    group = {"$group_type": "company", "$group_key": "acme", "$group_set": {"name": "Acme"}}

    node = from_posthog(
        captured("$groupidentify", distinct_id="$company_acme", properties=dict(group))
    )
    python = from_posthog(captured("$groupidentify", properties=dict(group)))

    assert node.type == python.type == "customer.grouped.v1"
    assert node.data["account_id"] == "acme"
    assert (node.identifiers, python.identifiers) == ({}, {"user_id": "u-1"})


def test_pages_and_screens_are_of_the_catalogue() -> None:
    page = from_posthog(
        captured(
            "$pageview",
            properties={
                "$current_url": "https://shop.test/",
                "$session_id": "s-1",
                "$lib": "web",
                "utm_source": "mail",
            },
        )
    )
    screen = from_posthog(captured("$screen", properties={"$screen_name": "Cart"}))

    assert (page.type, page.channel) == ("page.viewed.v1", "web")
    assert page.data == {
        "url": "https://shop.test/",
        "session": "s-1",
        "utm": {"source": "mail"},
    }
    assert (screen.type, screen.data) == ("screen.viewed.v1", {"screen": "Cart"})


def test_the_clients_other_events_are_its_own() -> None:
    assert from_posthog(captured("$autocapture")).type == "custom.autocapture.v1"


def test_shapes_without_a_batch_are_read_too() -> None:
    event = captured("Seen", api_key="phc_secret")

    single = only_draft(posthog.read(event, ARRIVAL))
    listed = posthog.read([event, event], ARRIVAL)

    assert single.type == "custom.seen.v1"
    assert len(listed) == 2
    assert "phc_secret" not in str(single.raw)


def test_the_id_and_the_distinct_id_may_stand_among_the_properties() -> None:
    event = {"event": "Seen", "properties": {"distinct_id": "u-2", "$insert_id": "i-1"}}

    draft = from_posthog(event)

    assert (draft.identifiers, draft.id) == ({"user_id": "u-2"}, "i-1")


def test_times_are_corrected_by_when_the_batch_was_sent() -> None:
    """publishers.md, line 8."""
    event = captured("Seen", timestamp="2026-11-21T11:59:30Z")

    old = only_draft(posthog.read({"batch": [event], "sent_at": "2026-11-21T12:00:00Z"}, ARRIVAL))
    new = only_draft(
        posthog.read({"batch": [event], "created_at": "2026-11-21T12:00:00Z"}, ARRIVAL)
    )
    ago = only_draft(posthog.read(captured("Seen", offset=30_000), ARRIVAL))

    for draft in (old, new, ago):
        assert (ARRIVAL.received - draft.occurred).total_seconds() == 30


def test_a_migration_is_history() -> None:
    body = {"batch": [captured("Seen")], "historical_migration": True}

    assert only_draft(posthog.read(body, ARRIVAL)).historical
    assert only_draft(posthog.read(captured("Seen"), replace(ARRIVAL, historical=True))).historical


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (captured("Seen", distinct_id=None), "no_identity"),
        (captured(""), "missing_field"),
        ({"distinct_id": "u-1"}, "missing_field"),
        (captured("$create_alias"), "missing_field"),
        (captured("Seen", uuid=["x"]), "bad_id"),
        (captured("Seen", timestamp="soon"), "bad_time"),
    ],
)
def test_what_cannot_be_read_is_refused_by_itself(event: object, code: str) -> None:
    assert only_rejection(posthog.read([event], ARRIVAL)).code == code


@pytest.mark.parametrize("body", [None, 5, "text", {"batch": {}}])
def test_a_body_that_is_no_request_is_told_so(body: object) -> None:
    assert only_rejection(posthog.read(body, ARRIVAL)).code == "bad_request_shape"


def test_an_ambiguous_batch_is_unreadable_as_a_whole() -> None:
    with pytest.raises(UnreadableBodyError):
        posthog.read(parse(b'{"batch":[],"batch":[{}]}'), ARRIVAL)

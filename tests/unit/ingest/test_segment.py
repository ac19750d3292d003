"""What is understood of what the clients of the Segment spec send."""

from dataclasses import replace
from typing import Any

import pytest
from rapport_ingest.adapters import segment

from tests.support.publishers import ARRIVAL, call, from_segment, only_draft, track


def test_an_identify_tells_who_somebody_is() -> None:
    draft = from_segment(call("identify", traits={"email": "ada@example.com", "plan": "pro"}))

    assert draft.type == "customer.identified.v1"
    assert draft.identifiers == {"user_id": "u-1", "email": "ada@example.com"}
    assert draft.data == {"traits": {"email": "ada@example.com", "plan": "pro"}}


def test_rudderstack_puts_the_traits_into_the_context() -> None:
    """publishers.md, line 8."""
    draft = from_segment(call("identify", context={"traits": {"phone": "+4930901820", "tier": 2}}))

    assert draft.identifiers == {"user_id": "u-1", "phone": "+4930901820"}
    assert draft.data == {"traits": {"phone": "+4930901820", "tier": 2}}
    assert draft.context == {}


def test_nulls_and_numeric_ids_occur() -> None:
    """publishers.md, line 8."""
    anonymous = from_segment(call("identify", userId=None, anonymousId="a-1"))
    numeric = from_segment(call("identify", userId=97, messageId=12))
    whole_float = from_segment(call("identify", userId=97.0))

    assert anonymous.identifiers == {"anonymous_id": "a-1"}
    assert (numeric.identifiers, numeric.id) == ({"user_id": "97"}, "12")
    assert whole_float.identifiers == {"user_id": "97"}


def test_metadata_integrations_and_keys_are_ignored() -> None:
    """publishers.md, lines 6 and 8."""
    draft = from_segment(
        call("track", event="Seen", integrations={"All": True}, _metadata={"a": 1}, writeKey="k")
    )

    assert draft.data == {"name": "Seen"}
    assert "writeKey" not in str(draft.raw)


def test_an_alias_links_what_the_previous_id_may_have_been() -> None:
    """publishers.md, line 9: nobody says whether `previousId` was a user or anonymous."""
    draft = from_segment(call("alias", previousId="a-1"))

    assert draft.type == "customer.aliased.v1"
    assert draft.identifiers == {"user_id": "u-1"}
    assert draft.other == {"user_id": "a-1", "anonymous_id": "a-1"}
    assert draft.data == {"previous_id": "a-1", "user_id": "u-1"}


def test_a_page_keeps_its_address_apart_from_its_name() -> None:
    page = {"url": "https://shop.test/p?x=1", "referrer": "https://search.test/", "title": "P"}
    campaign = {"source": "newsletter", "name": "spring"}

    draft = from_segment(
        call(
            "page",
            name="Product",
            category="Shop",
            properties={"path": "/p", "url": page["url"]},
            context={"page": page, "campaign": campaign, "sessionId": 1_700_000_000},
        )
    )

    assert draft.type == "page.viewed.v1"
    assert draft.data == page | {
        "page": "Product",
        "utm": campaign,
        "session": "1700000000",
        "properties": {"path": "/p", "category": "Shop"},
    }


def test_a_screen_and_a_group_are_of_the_catalogue() -> None:
    screen = from_segment(call("screen", name="Cart", properties={"session_id": "s-1"}))
    group = from_segment(call("group", groupId=7, traits={"name": "Acme"}))

    assert (screen.type, screen.data) == ("screen.viewed.v1", {"screen": "Cart", "session": "s-1"})
    assert group.type == "customer.grouped.v1"
    assert group.data == {"account_id": "7", "traits": {"name": "Acme"}}


def test_the_traits_of_a_group_name_no_person() -> None:
    draft = from_segment(call("group", groupId="acme", traits={"email": "info@acme.test"}))

    assert draft.identifiers == {"user_id": "u-1"}


@pytest.mark.parametrize(
    ("members", "channel"),
    [
        ({"channel": "web"}, "web"),
        ({"channel": "mobile"}, "app"),
        ({"channel": "server"}, None),
        ({"channel": "store"}, "store"),
        ({"channel": 7}, None),
        ({"context": {"library": {"name": "analytics.js", "version": "1"}}}, "web"),
        ({"context": {"library": {"name": "@segment/analytics-next"}}}, "web"),
        ({"context": {"library": {"name": "analytics-ios"}}}, "app"),
        ({"context": {"library": {"name": "analytics-python"}}}, None),
        ({"context": {"library": {"name": ["x"]}}}, None),
    ],
)
def test_the_channel_is_taken_where_the_client_tells_it(
    members: dict[str, Any], channel: str | None
) -> None:
    assert from_segment(call("identify", **members)).channel == channel


def test_the_rest_of_the_context_is_kept_but_not_the_library() -> None:
    context = {"ip": "203.0.113.9", "page": {}, "library": {"name": "x", "version": "2"}}

    draft = from_segment(call("identify", context=context))

    assert draft.context == {"ip": "203.0.113.9"}
    assert draft.library == "x/2"


def test_external_ids_name_the_person_too() -> None:
    external = [
        {"id": "7", "type": "CRM id", "collection": "users", "encoding": "none"},
        {"id": "9", "type": "account", "collection": "accounts"},
        "nonsense",
    ]

    draft = from_segment(call("track", event="Seen", context={"externalIds": external}))

    assert draft.identifiers == {"crm_id": "7", "user_id": "u-1"}


def test_the_time_of_the_event_itself_wins() -> None:
    """publishers.md, line 8: rudder-node has `originalTimestamp` and `sentAt` per event."""
    event = call(
        "track",
        event="Seen",
        timestamp="2026-01-01T00:00:00Z",
        originalTimestamp="2026-11-22T11:59:00Z",
        sentAt="2026-11-22T12:00:00Z",
    )

    draft = only_draft(segment.read({"batch": [event], "sentAt": "2020-01-01"}, ARRIVAL))

    assert draft.time == "2026-11-22T11:59:00Z"
    assert (ARRIVAL.received - draft.occurred).total_seconds() == 60


def test_an_event_without_an_id_gets_the_same_one_when_it_is_sent_again() -> None:
    """publishers.md, line 7."""
    event = call("track", event="Seen", timestamp="2026-11-22T11:59:00Z")
    del event["messageId"]

    first = from_segment(event | {"sentAt": "2026-11-22T11:59:01Z"})
    again = from_segment(event | {"sentAt": "2026-11-22T11:59:09Z"})
    twins = segment.read({"batch": [event, event]}, ARRIVAL)
    elsewhere = only_draft(segment.read(event, replace(ARRIVAL, source="/app")))

    assert first.id == again.id
    assert len({twin.id for twin in twins} | {elsewhere.id}) == 3


def test_the_same_event_sent_again_has_the_same_fingerprint() -> None:
    """publishers.md, line 7: a repeat is no conflict, another content under the same id is."""
    event = track("Order Completed", order_id="O-1", total=19.9, currency="EUR")

    first = from_segment(event | {"sentAt": "2026-11-22T11:59:01Z"})
    again = from_segment(event | {"sentAt": "2026-11-22T11:59:09Z"})
    other = from_segment(event | {"properties": {"order_id": "O-2"}})

    assert first.fingerprint_bytes() == again.fingerprint_bytes()
    assert first.fingerprint_bytes() != other.fingerprint_bytes()


def test_a_group_without_an_id_is_kept_as_it_came() -> None:
    draft = from_segment(call("group", traits={"name": "Acme"}))

    assert draft.type == "custom.group.v1"
    assert draft.data == {"name": "group", "properties": {"traits": {"name": "Acme"}}}

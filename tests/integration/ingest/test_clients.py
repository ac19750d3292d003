"""The clients that publishers really use, unmodified, against a live server."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.conversion import to_binary
from cloudevents.v1.http import CloudEvent as LegacyCloudEvent
from posthog import Posthog
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics.client import Client as SegmentClient

from tests.contract.sdk_drafts import recorded
from tests.support.clients import stored_of
from tests.support.ingest_house import Ingest, a_user, an_id

Sdk = Callable[..., Any]

Failures = list[tuple[object, object]]


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("sdk", [SegmentClient, RudderClient])
async def test_segments_and_rudderstacks_python_clients_are_understood(
    ingest: Ingest, sdk: Sdk, *, gzip: bool
) -> None:
    user, anonymous, failures = a_user(), an_id(), Failures()

    def publish() -> None:
        client = sdk(
            ingest.secrets.keys["publisher"],
            host=ingest.url,
            gzip=gzip,
            max_retries=1,
            on_error=lambda error, items: failures.append((error, items)),
        )
        client.identify(user, {"email": f"{user}@example.com", "plan": "pro"})
        client.track(user, "Order Completed", {"revenue": 19.9, "currency": "EUR"})
        client.page(user, "Docs", "Home", {"url": "https://shop.example/p"})
        client.screen(user, "App", "Home", {"v": 1})
        client.group(user, "acme", {"name": "Acme"})
        client.alias(anonymous, user)
        client.shutdown()

    await asyncio.to_thread(publish)

    stored = await stored_of(ingest, user)
    assert failures == []
    assert stored.keys() == {
        "customer.identified.v1",
        "order.placed.v1",
        "page.viewed.v1",
        "screen.viewed.v1",
        "customer.grouped.v1",
        "customer.aliased.v1",
    }
    assert stored["order.placed.v1"][0].data["amount"] == 1990
    assert stored["customer.identified.v1"][0].personal["traits"]["plan"] == "pro"


@pytest.mark.parametrize("sdk", [SegmentClient, RudderClient])
async def test_a_python_client_is_not_told_of_a_bad_event_by_losing_the_batch(
    ingest: Ingest, sdk: Sdk
) -> None:
    user, failures = a_user(), Failures()
    order = {"revenue": "many", "currency": "EUR"}

    def publish() -> None:
        client = sdk(
            ingest.secrets.keys["publisher"],
            host=ingest.url,
            max_retries=0,
            on_error=lambda error, items: failures.append((error, items)),
        )
        client.track(user, "Order Completed", order)
        client.track(user, "Quiz Finished", {"score": 7})
        client.shutdown()

    await asyncio.to_thread(publish)

    assert failures == []
    assert (await stored_of(ingest, user)).keys() == {"custom.quiz_finished.v1"}


@pytest.mark.parametrize("mode", ["v0", "v1"])
@pytest.mark.parametrize("gzip", [False, True])
async def test_posthogs_python_client_is_understood(
    ingest: Ingest, mode: str, *, gzip: bool
) -> None:
    user, alias, failures = a_user(), a_user(), Failures()

    def publish() -> None:
        client = Posthog(
            ingest.secrets.keys["publisher"],
            host=ingest.url,
            gzip=gzip,
            capture_mode=mode,
            max_retries=0,
            on_error=lambda error, items: failures.append((error, items)),
        )
        client.capture("Order Completed", distinct_id=user, properties={"revenue": 5})
        client.set(distinct_id=user, properties={"plan": "pro"})
        client.alias(user, alias)
        client.capture("$pageview", distinct_id=user, properties={"$current_url": "https://x.y/"})
        client.shutdown()

    await asyncio.to_thread(publish)

    stored = await stored_of(ingest, user)
    assert failures == []
    assert stored.keys() == {
        "order.placed.v1",
        "customer.identified.v1",
        "customer.aliased.v1",
        "page.viewed.v1",
    }


async def test_the_cloudevents_python_sdk_is_understood(ingest: Ingest) -> None:
    user, ids = a_user(), [an_id() for _ in range(3)]
    data = {"ticket": "T-1", "body": "Zoë €", "identifiers": {"user_id": user}}
    attributes = {"type": "ticket.created.v1", "source": "/crm", "specversion": "1.0"}
    now = datetime.now(UTC)
    events = [CloudEvent(attributes | {"id": ids[n], "time": now}, data) for n in (0, 1)]
    legacy = LegacyCloudEvent(attributes | {"id": ids[2]}, data)

    binary, structured = to_binary_event(events[0]), to_structured_event(events[1])
    headers, body = to_binary(legacy, json.dumps)
    for message_headers, message_body in (
        (binary.headers, binary.body),
        (structured.headers, structured.body),
        (headers, body),
    ):
        named = {"content-type": "application/json", **message_headers, **ingest.auth("publisher")}
        answer = await ingest.client.post("/v1/events", content=message_body, headers=named)
        assert answer.json()["accepted"] == 1, answer.text

    stored = await ingest.stored(*ids)
    assert {one.envelope.type for one in stored} == {"ticket.created.v1"}
    assert [one.personal["body"] for one in stored] == ["Zoë €"] * 3


@pytest.mark.parametrize("mode", sorted(recorded()))
async def test_every_recorded_request_of_a_client_is_taken_whole(ingest: Ingest, mode: str) -> None:
    for request in recorded()[mode]:
        path = "/v1/events" if request["path"].startswith("/ce") else request["path"]
        answer = await ingest.post(path, request["body"], None, _headers(ingest, request))

        assert answer.status_code == 200, answer.text
        assert answer.json()["rejected"] == []
        assert answer.json()["accepted"] >= 1


def _headers(ingest: Ingest, request: Mapping[str, Any]) -> dict[str, str]:
    """As recorded, except for the key, and for what the recording had undone."""
    headers = {name.lower(): value for name, value in request["headers"].items()}
    for name in ("content-encoding", "transfer-encoding"):
        headers.pop(name, None)
    return {**headers, **ingest.auth("publisher")}

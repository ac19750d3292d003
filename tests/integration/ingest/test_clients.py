"""The clients that publishers really use, unmodified, against a live server."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
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
from tests.support.ingest_house import Ingest, Stored, a_user, an_id

NODE_MODULES = os.environ.get("RAPPORT_TEST_NODE_MODULES")
"""A folder with the Node clients installed, for those who want to try them."""

Sdk = Callable[..., Any]
Failures = list[tuple[object, object]]


async def _of(ingest: Ingest, user: str) -> dict[str, list[Stored]]:
    """What was stored of this user, by type."""
    subject = await ingest.house.keyring.find("user_id", user)
    assert subject is not None
    last = {"event": "Last", "userId": user, "messageId": an_id()}
    await ingest.send("/v1/track", last)
    # In the same partition as everything else of this user, and after it.
    await ingest.in_log([last["messageId"]])
    ids = {
        dict(one.headers)["ce_id"].decode() for one in ingest.records if one.key.decode() == subject
    }
    found: dict[str, list[Stored]] = {}
    for one in await ingest.stored(*(ids - {last["messageId"]})):
        found.setdefault(one.envelope.type, []).append(one)
    return found


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

    stored = await _of(ingest, user)
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
    assert (await _of(ingest, user)).keys() == {"custom.quiz_finished.v1"}


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

    stored = await _of(ingest, user)
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


_NODE = """
const { Analytics } = require('@segment/analytics-node');
const { PostHog } = require('posthog-node');
const Rudder = require('@rudderstack/rudder-sdk-node');
const { jitsuAnalytics } = require('@jitsu/js');
const { CloudEvent, HTTP } = require('cloudevents');
const [url, key, user] = process.argv.slice(1);
(async () => {
  const segment = new Analytics({ writeKey: key, host: url, path: '/v1/batch', maxRetries: 0 });
  const failures = [];
  segment.on('error', (error) => failures.push(String(error.reason ?? error)));
  segment.identify({ userId: user, traits: { plan: 'pro' } });
  segment.track({ userId: user, event: 'Quiz Finished', properties: { score: 7 } });
  await segment.closeAndFlush();
  const posthog = new PostHog(key, { host: url, fetchRetryCount: 0 });
  posthog.on('error', (error) => failures.push(String(error)));
  posthog.capture({ distinctId: user, event: 'Order Completed' });
  await posthog.shutdown();
  const rudder = new Rudder(key, { dataPlaneUrl: url, flushAt: 1 });
  rudder.group({ userId: user, groupId: 'acme', traits: { name: 'Acme' } });
  await new Promise((done) => rudder.flush((error) => {
    if (error) failures.push(String(error));
    done();
  }));
  const jitsu = jitsuAnalytics({ host: url, writeKey: 'kid:' + key });
  await jitsu.identify(user);
  await jitsu.page({ name: 'Home' });
  const event = new CloudEvent({
    type: 'store.visited.v1',
    source: '/till',
    data: { store: 'berlin', identifiers: { user_id: user } },
  });
  const message = HTTP.structured(event);
  const answer = await fetch(url + '/v1/events', {
    method: 'POST', body: message.body,
    headers: { ...message.headers, authorization: 'Bearer ' + key },
  });
  if (!answer.ok) failures.push(await answer.text());
  console.log(JSON.stringify(failures));
})();
"""


@pytest.mark.skipif(
    NODE_MODULES is None or shutil.which("node") is None,
    reason="needs node, and RAPPORT_TEST_NODE_MODULES: a node_modules with "
    "@segment/analytics-node, posthog-node, @rudderstack/rudder-sdk-node, @jitsu/js, cloudevents",
)
async def test_the_node_clients_are_understood(ingest: Ingest) -> None:
    user, modules = a_user(), Path(str(NODE_MODULES))

    process = await asyncio.create_subprocess_exec(
        "node",
        "-e",
        _NODE,
        "--",
        ingest.url,
        ingest.secrets.keys["publisher"],
        user,
        cwd=modules.parent,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)

    assert json.loads(said) == []
    assert (await _of(ingest, user)).keys() == {
        "customer.identified.v1",
        "custom.quiz_finished.v1",
        "order.placed.v1",
        "customer.grouped.v1",
        "page.viewed.v1",
        "store.visited.v1",
    }

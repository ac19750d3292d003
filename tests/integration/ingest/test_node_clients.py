"""The clients for Node, unmodified, against a live server: where they are installed."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.support.clients import stored_of
from tests.support.ingest_house import Ingest, a_user

NODE_MODULES = os.environ.get("RAPPORT_TEST_NODE_MODULES")
"""A folder with the Node clients installed, for those who want to try them."""

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
    assert (await stored_of(ingest, user)).keys() == {
        "customer.identified.v1",
        "custom.quiz_finished.v1",
        "order.placed.v1",
        "customer.grouped.v1",
        "page.viewed.v1",
        "store.visited.v1",
    }

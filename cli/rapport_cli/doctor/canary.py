"""One event all the way: published with the publisher's key, read back with the agent's."""

import time
from typing import Any
from uuid import uuid4

import httpx2

from rapport_cli.doctor.finding import Finding, bad, good

_SECONDS = 15.0
_CUSTOMER = "rapport-doctor"


def send_canary(stack: dict[str, Any]) -> Finding:
    """Adds one event of the customer `rapport-doctor` to the log, where it stays."""
    started = time.perf_counter()
    with httpx2.Client(timeout=_SECONDS, trust_env=False) as client:
        try:
            token = _publish(client, stack)
            status = _read(client, stack, token)
        except httpx2.HTTPError as error:
            fix = "The service's log says why."
            return bad("canary", f"{type(error).__name__}: {error}", fix)
    if status != httpx2.codes.OK:
        fix = "Look at the projection: `rapport parked list`, logs/profile.log."
        return bad("canary", f"published, but reading it back answered {status}", fix)
    took = (time.perf_counter() - started) * 1000
    return good("canary", f"published and read back in {took:.0f} ms")


def _publish(client: httpx2.Client, stack: dict[str, Any]) -> str:
    event = {"userId": _CUSTOMER, "event": "Rapport Checked", "messageId": str(uuid4())}
    answer = client.post(
        f"{stack['ingest']}/v1/track", json=event, auth=(stack["keys"]["publisher"], "")
    )
    answer.raise_for_status()
    return str(answer.json()["consistency_token"])


def _read(client: httpx2.Client, stack: dict[str, Any], token: str) -> int:
    answer = client.get(
        f"{stack['profile']}/v1/profiles/user_id:{_CUSTOMER}",
        headers={
            "authorization": f"Bearer {stack['keys']['agent']}",
            "consistency-token": token,
            "prefer": "wait=10",
            "x-purpose": "rapport doctor",
        },
    )
    return answer.status_code

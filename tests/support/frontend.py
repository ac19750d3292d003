"""An agent's frontend: it reads the profile API of a running stack and writes to its ingest."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import httpx2

from tests.support.identity_work import without_meta

Document = dict[str, Any]

_LEVEL_SECONDS: Final = 60.0
"""What a busy machine may take until what was sent can be read."""


class Desk:
    """One agent at work."""

    def __init__(self, stack: Document) -> None:
        self._stack = stack
        self._client = httpx2.Client(timeout=20, trust_env=False)
        self.token: str | None = None
        """Of what was sent last: every read includes it."""

    def send(self, role: str, *events: Document) -> None:
        answer = self._client.post(
            f"{self._stack['ingest']}/v1/events", json=list(events), headers=self._headers(role)
        )
        assert answer.status_code == 200, answer.text
        assert (answer.json()["accepted"], answer.json()["rejected"]) == (len(events), [])
        self.token = answer.json()["consistency_token"]

    def read(self, path: str, role: str = "agent") -> Document:
        return self._told("GET", path, role)

    def preview(self, *refs: str) -> Document:
        body = {"profiles": list(refs)}
        return self._told("POST", "/v1/profiles:preview-merge", "agent", json=body)

    def person(self, user: str) -> Document:
        return without_meta(self.read(f"/v1/profiles/user_id:{user}"))

    def suggestion(self, *people: Document) -> Document | None:
        """The one about these two; the stack has other customers."""
        wanted = {person["subject"] for person in people}
        path = "/v1/merge-suggestions?limit=100"
        while True:
            page = self.read(path)
            for found in page["suggestions"]:
                if {side["subject"] for side in found["sides"]} == wanted:
                    return dict(found)
            if page["next_cursor"] is None:
                return None
            path = f"/v1/merge-suggestions?limit=100&cursor={page['next_cursor']}"

    def close(self) -> None:
        self._client.close()

    def _headers(self, role: str) -> dict[str, str]:
        headers = {"authorization": f"Bearer {self._stack['keys'][role]}", "prefer": "wait=10"}
        return headers if self.token is None else headers | {"consistency-token": self.token}

    def _told(self, method: str, path: str, role: str, json: object = None) -> Document:
        """Whoever is told that it is too early yet asks again."""
        url, deadline = f"{self._stack['profile']}{path}", time.monotonic() + _LEVEL_SECONDS
        while True:
            answer = self._client.request(method, url, headers=self._headers(role), json=json)
            if answer.status_code != httpx2.codes.TOO_EARLY or time.monotonic() > deadline:
                break
        assert answer.status_code == 200, answer.text
        document: Document = answer.json()
        return document


def event(type_: str, data: Document, days_ago: float = 0.0) -> Document:
    """What a frontend or a shop sends; `data` may be one that an answer suggests."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return {
        "specversion": "1.0",
        "id": f"e2e-{uuid4().hex}",
        "source": "/desk/eve",
        "type": type_,
        "time": at.isoformat(),
        "data": data,
    }

"""Who asks customers through a running stack, and the customers' browsers."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2
from rapport_cli.demo.letters import read_invitations

Document = dict[str, Any]
T = TypeVar("T")

_PATIENCE: Final = 60.0
_LOOK_AGAIN: Final = 0.02


class Front:
    """Every read is of now: what is not there yet is waited for."""

    def __init__(self, stack: Document) -> None:
        self._stack = stack
        self._client = httpx2.Client(timeout=20, trust_env=False)

    def publish(self, definition: Document) -> None:
        """The survey is live when this returns."""
        draft = self.post("feedback", "/v1/surveys", definition, 201)
        self.post("feedback", f"/v1/surveys/{draft['id']}/versions/{draft['version']}:go-live", {})

    def retire_all(self) -> None:
        """Nobody is asked by the surveys that were live: of several, one would ask first."""
        for survey in self.read("feedback", "/v1/surveys")["surveys"]:
            if survey["state"] == "live":
                path = f"/v1/surveys/{survey['id']}/versions/{survey['version']}:retire"
                self.post("feedback", path, {})

    def link(self, address: str) -> str:
        """Of the invitation that was sent there."""
        file = Path(self._stack["messages"])
        return until(
            lambda: next((one.link for one in read_invitations(file) if one.to == address), None)
        )

    def open(self, link: str) -> httpx2.Response:
        """As a browser does: without a key."""
        return self._client.get(link)

    def answer(self, link: str, **fields: object) -> httpx2.Response:
        """As the form of the page sends it."""
        return self._client.post(link, data={f"q-{name}": str(one) for name, one in fields.items()})

    def get(self, service: str, path: str, role: str = "agent") -> httpx2.Response:
        return self._client.get(f"{self._stack[service]}{path}", headers=self._key(role))

    def read(self, service: str, path: str, role: str = "agent") -> Document:
        return _told(self.get(service, path, role), 200)

    def post(
        self, service: str, path: str, body: object, status: int = 200, role: str = "agent"
    ) -> Document:
        url = f"{self._stack[service]}{path}"
        return _told(self._client.post(url, json=body, headers=self._key(role)), status)

    def close(self) -> None:
        self._client.close()

    def _key(self, role: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self._stack['keys'][role]}"}


def until(look: Callable[[], T | None], patience: float = _PATIENCE) -> T:
    """What is seen as soon as there is something to see."""
    deadline = time.monotonic() + patience
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(_LOOK_AGAIN)
    return found


def _told(answer: httpx2.Response, status: int) -> Document:
    assert answer.status_code == status, answer.text
    document: Document = answer.json()
    return document

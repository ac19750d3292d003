"""Reads what the services know, as an agent's frontend and an operator's console do."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from rapport_cli.failure import CliError

_PROJECTION_SECONDS = 60.0
_LONGEST_WAIT = 10
_PAGE = 200
_ELSEWHERE = (
    ("/v1/kpis", "metrics"),
    ("/v1/ops/quarantine", "ingest"),
    ("/v1/surveys", "feedback"),
    ("/v1/feedback", "feedback"),
    ("/v1/loops", "feedback"),
    ("/v1/triggers", "personalization"),
    ("/v1/decisions", "personalization"),
    ("/v1/explain", "personalization"),
    ("/v1/customers", "personalization"),
)
"""Paths that are not the profile service's."""

Query = Mapping[str, str | int]
_NONE: Query = {}


class ReadFailedError(CliError):
    code = "RPT-E002"

    def __init__(self, url: str, status: int, detail: str) -> None:
        super().__init__(
            f"{url} answered {status}: {detail}.",
            "The services' logs are in the state directory; keep it with --state-dir.",
        )


class NotProjectedError(CliError):
    code = "RPT-E003"

    def __init__(self) -> None:
        super().__init__(
            f"Profiles or KPIs did not reach the traffic's end in {_PROJECTION_SECONDS:g} s.",
            "Try fewer --customers; `rapport doctor` looks at each part of the stack.",
        )


class Desk:
    """Asks with the key of a role: `agent`, `ops`, or whatever else `keys` has."""

    def __init__(
        self, client: httpx2.AsyncClient, stack: Mapping[str, Any], keys: Mapping[str, str]
    ) -> None:
        self._client = client
        self._stack = stack
        self._keys = keys

    async def ask(
        self, path: str, role: str, query: Query = _NONE, *, token: str | None = None, wait: int = 0
    ) -> httpx2.Response:
        """Whatever the answer is. `wait`: seconds that the service may wait for the token."""
        headers = self._headers(role)
        if token is not None:
            headers |= {"consistency-token": token, "prefer": f"wait={wait}"}
        url = self._url(path)
        try:
            return await self._client.get(url, headers=headers, params=dict(query))
        except httpx2.TransportError as error:
            raise ReadFailedError(url, 0, type(error).__name__) from error

    async def read(self, path: str, query: Query = _NONE, role: str = "agent") -> dict[str, Any]:
        """Raises ReadFailedError unless the answer is 200."""
        answer = await self.ask(path, role, query)
        if answer.status_code != httpx2.codes.OK:
            raise ReadFailedError(str(answer.url), answer.status_code, answer.text[:300])
        document: dict[str, Any] = answer.json()
        return document

    async def find(self, path: str, query: Query = _NONE) -> dict[str, Any] | None:
        """None: nobody knows of it yet. Raises ReadFailedError."""
        answer = await self.ask(path, "agent", query)
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        return await self.read(path, query)

    async def write(
        self, path: str, body: Mapping[str, Any], role: str = "agent", method: str = "POST"
    ) -> dict[str, Any]:
        """Raises ReadFailedError unless it is taken."""
        url = self._url(path)
        try:
            answer = await self._client.request(method, url, json=body, headers=self._headers(role))
        except httpx2.TransportError as error:
            raise ReadFailedError(url, 0, type(error).__name__) from error
        if answer.is_error:
            raise ReadFailedError(url, answer.status_code, answer.text[:300])
        document: dict[str, Any] = answer.json()
        return document

    async def read_all(
        self, path: str, rows: str, query: Query = _NONE, role: str = "agent"
    ) -> list[dict[str, Any]]:
        """The list `rows` of every page. Raises ReadFailedError."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.read(path, {**query, "limit": _PAGE, **cursor}, role)
            found += page[rows]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    async def read_suggestions(self) -> list[dict[str, Any]]:
        """Those of the first page."""
        found: list[dict[str, Any]] = (await self.read("/v1/merge-suggestions"))["suggestions"]
        return found

    async def first_words(self, path: str) -> dict[str, Any]:
        """The data of a stream's first event. Raises ReadFailedError."""
        url = self._url(path)
        try:
            async with self._client.stream("GET", url, headers=self._headers("agent")) as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("data: "):
                        document: dict[str, Any] = json.loads(line.removeprefix("data: "))
                        return document
                raise ReadFailedError(url, answer.status_code, "the stream ended without an event")
        except httpx2.TransportError as error:
            raise ReadFailedError(url, 0, type(error).__name__) from error

    async def until_visible(self, ref: str, token: str) -> None:
        """Waits until profiles include what `token` names. Raises NotProjectedError."""
        await self._until_there(profile_path(ref), "agent", {"include": "events"}, token)

    async def until_counted(self, path: str, token: str) -> None:
        """Waits until KPIs include what `token` names. Raises NotProjectedError."""
        await self._until_there(path, "ops", _NONE, token)

    async def _until_there(self, path: str, role: str, query: Query, token: str) -> None:
        try:
            async with asyncio.timeout(_PROJECTION_SECONDS):
                while not await self._is_there(path, role, query, token):
                    pass
        except TimeoutError:
            raise NotProjectedError from None

    async def _is_there(self, path: str, role: str, query: Query, token: str) -> bool:
        """The service itself waits; 425 is its way to say: not yet."""
        answer = await self.ask(path, role, query, token=token, wait=_LONGEST_WAIT)
        if answer.status_code not in {httpx2.codes.OK, httpx2.codes.TOO_EARLY}:
            raise ReadFailedError(str(answer.url), answer.status_code, answer.text[:300])
        return answer.status_code == httpx2.codes.OK

    def _headers(self, role: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self._keys[role]}", "x-purpose": "rapport demo"}

    def _url(self, path: str) -> str:
        service = next((name for start, name in _ELSEWHERE if path.startswith(start)), "profile")
        return f"{self._stack[service]}{path}"


def profile_path(ref: str) -> str:
    return f"/v1/profiles/{quote(ref, safe=':@')}"

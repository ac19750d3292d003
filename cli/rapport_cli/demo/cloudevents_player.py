"""The shop's other systems: CloudEvents over HTTP, in batches; the agents' desk one at a time."""

import json
from collections.abc import Iterator, Mapping, Sequence

import httpx2

from rapport_cli.demo.receipts import PublisherFailedError, Receipts, Request
from rapport_cli.demo.saying import Fact

_BATCH = 100


class CloudEventsPlayer:
    """Posts facts, each with the key of its role."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        ingest: str,
        keys: Mapping[str, str],
        receipts: Receipts,
    ) -> None:
        self._client = client
        self._url = f"{ingest}/v1/events"
        self._keys = keys
        self._receipts = receipts

    async def say(self, facts: Sequence[Fact]) -> None:
        """Raises PublisherFailedError."""
        for request in self._requests(facts):
            self._receipts.add(await post(self._client, request), request)

    def _requests(self, facts: Sequence[Fact]) -> Iterator[Request]:
        by_systems = [fact.as_cloudevent() for fact in facts if fact.key == "publisher"]
        for start in range(0, len(by_systems), _BATCH):
            yield self._request("publisher", "-batch", by_systems[start : start + _BATCH])
        for fact in facts:
            if fact.key == "agent":
                yield self._request("agent", "", fact.as_cloudevent())

    def _request(self, role: str, mode: str, content: object) -> Request:
        headers = {
            "authorization": f"Bearer {self._keys[role]}",
            "content-type": f"application/cloudevents{mode}+json",
        }
        return Request(self._url, headers, json.dumps(content).encode())


async def post(client: httpx2.AsyncClient, request: Request) -> dict[str, object]:
    """The answer to a request. Raises PublisherFailedError."""
    try:
        answer = await client.post(request.url, content=request.body, headers=dict(request.headers))
    except httpx2.TransportError as error:
        raise PublisherFailedError(f"{request.url}: {type(error).__name__}") from error
    if answer.status_code != httpx2.codes.OK:
        raise PublisherFailedError(f"{answer.status_code} {answer.text[:300]}")
    document: dict[str, object] = answer.json()
    return document

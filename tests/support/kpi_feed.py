"""Sends the worked example to a running stack, as an internal system would: over HTTP, in order."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, Final

import httpx2

BATCH: Final = 250
_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 90.0
_LONGER_NAMES: Final = {"subject": "about"}
_WAIT: Final = {"prefer": "wait=10"}


class Feed:
    """A publisher, the privacy desk and an analyst of one stack."""

    def __init__(self, stack: Mapping[str, Any]) -> None:
        self._stack = stack
        self._client = httpx2.Client(timeout=_SECONDS, trust_env=False)
        self.suppressed = 0
        self._token: str | None = None

    def close(self) -> None:
        self._client.close()

    def send(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Every event as a CloudEvent; an erasure as a request to the privacy desk."""
        for is_erasure, some in groupby(lines, lambda line: line["type"] == "customer.erased"):
            for batch in _batches(some):
                if is_erasure:
                    for line in batch:
                        self._erase(line["customer"])
                else:
                    self._publish([cloud_event(line) for line in batch])

    def series(self, kpi: str, query: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = self._client.get(
                f"{self._stack['metrics']}/v1/kpis/{kpi}",
                params=dict(query),
                headers=self._key("ops") | self._after() | _WAIT,
            )
            if answer.status_code != httpx2.codes.TOO_EARLY:
                break
        assert answer.status_code == httpx2.codes.OK, answer.text
        series: Sequence[Mapping[str, Any]] = answer.json()["series"]
        return series

    def _publish(self, events: Sequence[Mapping[str, Any]]) -> None:
        answer = self._client.post(
            f"{self._stack['ingest']}/v1/events",
            json=events,
            headers=self._key("ops") | {"content-type": "application/cloudevents-batch+json"},
        )
        assert answer.status_code == httpx2.codes.OK, answer.text
        told = answer.json()
        codes = [one["code"] for one in told.get("rejected", [])]
        assert set(codes) <= {"erased"}, told
        self.suppressed += len(codes)
        self._token = told["consistency_token"] or self._token

    def _erase(self, customer: str) -> None:
        """After what was sent before it, as the desk promises."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = self._client.post(
                f"{self._stack['profile']}/v1/privacy/requests",
                json={"kind": "erasure", "identifiers": {"user_id": customer}},
                headers=self._key("ops") | self._after() | _WAIT,
            )
            if answer.status_code != httpx2.codes.TOO_EARLY:
                break
        assert answer.is_success, answer.text
        request = f"{self._stack['profile']}/v1/privacy/requests/{answer.json()['id']}"
        while answer.json()["status"] != "completed" and time.monotonic() < deadline:
            time.sleep(0.1)
            answer = self._client.get(request, headers=self._key("ops"))
        assert answer.json()["status"] == "completed", answer.text

    def _key(self, role: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self._stack['keys'][role]}"}

    def _after(self) -> dict[str, str]:
        return {} if self._token is None else {"consistency-token": self._token}


def cloud_event(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the example as its publisher would send it."""
    data = {_LONGER_NAMES.get(name, name): value for name, value in line["data"].items()}
    data = {name: value for name, value in data.items() if value is not None}
    if line["type"] == "customer.merged":
        data["from"] = {"user_id": data["from"]}
    if line["type"] == "order.placed" or line["type"] == "order.refunded":
        data.setdefault("currency", "EUR")
    if line["type"] == "cart.updated":
        data.setdefault("currency", "EUR")
    if line["customer"] is not None:
        data["identifiers"] = {"user_id": line["customer"]}
    event = {
        "specversion": "1.0",
        "id": line["id"],
        "source": "/shop",
        "type": f"{line['type']}.v1",
        "time": line["time"],
        "data": data,
    }
    return event if line["channel"] is None else event | {"channel": line["channel"]}


def _batches(lines: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    rest = iter(lines)
    while taken := list(islice(rest, BATCH)):
        yield taken

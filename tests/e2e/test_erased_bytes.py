"""After an erasure every byte of a whole stack is looked at: broker, databases, logs, spool."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import uuid4

import httpx2
import pytest
from rapport_events.catalogue import BY_TYPE
from rapport_events.event import pii_fields
from rapport_privacy.keyring import Keyring
from rapport_privacy.master import MasterKey
from rapport_runtime.http.keyfile import SCOPES, add_key

from tests.support.bytes_at_rest import hits, in_topics, spellings, vacuum, wrapped_keys
from tests.support.servers import own_broker_choice, server_directory
from tests.support.up import Up, rapport_up

PEOPLE: Final = 50

ERASED: Final = 25

MARK: Final = f"Canary{uuid4().hex[:12]}"
"""All planted words begin with it, so that one search finds them all."""

_FREE: Final = frozenset({"properties", "traits", "context", "identifiers", "from"})


class Planted:
    """A person whose every personal field holds a word that stands nowhere else."""

    def __init__(self) -> None:
        self.word = f"{MARK}{uuid4().hex}"
        self.who = {"user_id": f"u-{self.word}", "email": f"{self.word}@example.com"}

    def events(self) -> list[dict[str, Any]]:
        """One event of each class that has a personal text, and two that are refused."""
        found = [self._event(type_, fields) for type_, fields in _personal_types().items()]
        refused = self._event("ticket.created.v1", ("body",))
        refused["data"]["agnet"] = self.word
        unreadable = {**self._event("page.viewed.v1", ()), "id": "", "subject": self.word}
        return [*found, refused, unreadable]

    def _event(self, type_: str, fields: Iterable[str]) -> dict[str, Any]:
        data: dict[str, Any] = {**_REQUIRED.get(type_, {}), **dict.fromkeys(fields, self.word)}
        data["properties"] = {self.word: [self.word]}
        if type_ == "customer.identified.v1":
            data["traits"] = {"name": self.word, self.word: 1}
        if type_ == "customer.created.v1":
            data["email"] = self.who["email"]
        return {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "/planted",
            "type": type_,
            "note": self.word,
            "data": {**data, "identifiers": self.who},
        }


_REQUIRED: Final[dict[str, dict[str, Any]]] = {
    "customer.created.v1": {},
    "customer.identified.v1": {},
    "ticket.created.v1": {"ticket": "T-1"},
    "ticket.message.v1": {"ticket": "T-1"},
    "page.viewed.v1": {},
    "note.added.v1": {"note": "n-1"},
    "task.created.v1": {"task": "t-1"},
    "commitment.made.v1": {"commitment": "c-1"},
    "search.performed.v1": {},
    "survey.responded.v1": {"survey": "v-1", "kind": "nps", "score": 9},
    "order.placed.v1": {"order": "O-1"},
    "custom.canary.v1": {"name": "Canary"},
}


def _personal_types() -> dict[str, list[str]]:
    return {
        type_: [
            name
            for name in sorted(pii_fields(BY_TYPE[type_]) - _FREE if type_ in BY_TYPE else ())
            if name in {"body", "subject", "title", "first_name", "last_name", "query", "comment",
                        "what", "url"}
        ]
        for type_ in _REQUIRED
    }  # fmt: skip


class Stack:
    """The running stack, asked over HTTP as publishers and the privacy desk do."""

    def __init__(self, up: Up, key: str) -> None:
        self.stack = up.stack
        self.state_dir = up.state_dir
        self._headers = {"authorization": f"Bearer {key}", "prefer": "wait=10"}

    async def until_known(self) -> None:
        """Services look at the keys file again every second."""
        async with httpx2.AsyncClient(trust_env=False) as client:
            for service, path in (("ingest", "quarantine"), ("profile", "streams")):
                url = f"{self.stack[service]}/v1/ops/{path}"
                for _ in range(300):
                    if (await client.get(url, headers=self._headers)).status_code != 401:
                        break
                    await asyncio.sleep(0.2)

    async def send(self, events: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return await self._ask("POST", "ingest", "/v1/events", json=list(events))

    async def erase(self, token: str, who: dict[str, str]) -> dict[str, Any]:
        """The certificate, once it is complete."""
        asked = await self._ask(
            *("POST", "profile", "/v1/privacy/requests"),
            json={"kind": "erasure", "identifiers": who},
            headers={"consistency-token": token},
        )
        async with asyncio.timeout(120):
            while True:
                certificate = await self._ask("GET", "profile", asked["certificate"])
                if certificate["complete"]:
                    return certificate
                await asyncio.sleep(0.2)

    async def read(self, who: dict[str, str], token: str) -> int:
        """The status of reading the person: everything is projected and opened by then."""
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as client:
            headers = {**self._headers, "consistency-token": token}
            url = f"{self.stack['profile']}/v1/profiles/email:{who['email']}"
            async with asyncio.timeout(120):
                # On a busy machine it may be too early still.
                while (status := (await client.get(url, headers=headers)).status_code) == 425:
                    continue
            return status

    async def _ask(self, method: str, service: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as the client takes them
        headers = {**self._headers, **more.pop("headers", {})}
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as client:
            url = f"{self.stack[service]}{path}"
            answer = await client.request(method, url, headers=headers, **more)
        assert answer.status_code < 300, answer.text
        document: dict[str, Any] = answer.json()
        return document


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_no_byte_of_the_erased_is_anywhere_and_none_of_anybody_in_log_and_logs() -> None:
    people, broker = [Planted() for _ in range(PEOPLE)], own_broker_choice()
    erased, others = people[:ERASED], people[ERASED:]
    with (
        server_directory() as folder,
        rapport_up(folder / "stack", "--broker", broker, first_port=23_000) as up,
    ):
        up.wait_until_ready()
        key, _ = add_key(up.state_dir / "keys.json", "desk", sorted(SCOPES))
        stack = Stack(up, key)
        await stack.until_known()
        token = ""
        for person in people:
            answer = await stack.send(person.events())
            assert answer["accepted"] == len(_REQUIRED)
            assert len(answer["rejected"]) == 2
            token = answer["consistency_token"]
        master = MasterKey.from_file(up.state_dir / "secrets" / "master.key")
        url = up.stack["databases"]["rapport_keyring"]
        keyring = await Keyring.open(url, master)
        keys = await wrapped_keys(url, keyring, [person.who for person in erased])
        assert len(keys) == 2 * ERASED
        for person in people:
            assert await stack.read(person.who, token) == 200
        certificates = []
        for wave in range(0, ERASED, 5):
            going = (stack.erase(token, one.who) for one in erased[wave : wave + 5])
            certificates += await asyncio.gather(*going)
        assert sum(one["keys_destroyed"] for one in certificates) == 2 * ERASED
        await keyring.vacuum()
        await keyring.close()
        await vacuum(up.stack["databases"].values())

        # The search itself: what is not personal is found where it must be.
        found = {
            name.split("/")[0]
            for name in hits(up.state_dir, [certificates[0]["subjects"][0].encode(), b"listening"])
        }
        assert found >= {"postgres", "logs"} | ({"kafka"} if broker == "apache" else set())
        words = spellings(MARK)
        records = await in_topics(up.stack["kafka"])
        assert records.count(b'"kid"') >= PEOPLE * len(_REQUIRED)
        assert [word for word in words if word in records] == []
        # Everything on disk: Kafka's files, all databases with their WAL, logs, spool, state.
        assert hits(up.state_dir, words) == {}
        # Wrapped keys stay in the WAL until it is recycled, and open only with the master key.
        assert hits(up.state_dir / "postgres" / "data" / "base", keys) == {}
        for person in erased:
            assert await stack.read(person.who, token) in {404, 410}
        for person in others:
            assert await stack.read(person.who, token) == 200

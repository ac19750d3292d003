"""Many requests at once look at the keyring together."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from rapport_ingest.pipeline.together import People
from rapport_privacy.keyring import Keyring, KeyringUnavailableError, Resolved

from tests.support.privacy import a_data_key

KEY = a_data_key()


@dataclass
class SlowKeyring:
    """Knows everybody by their user id, once `open` is set."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    looks: list[int] = field(default_factory=list)
    away: bool = False
    known: frozenset[str] = frozenset()

    def remembered(self, batch: Sequence[Mapping[str, str]]) -> list[Resolved] | None:
        names = [one["user_id"] for one in batch]
        if not self.known.issuperset(names):
            return None
        return [Resolved(name, (), KEY) for name in names]

    async def resolve(self, batch: Sequence[Mapping[str, str]]) -> list[Resolved]:
        self.looks.append(len(batch))
        await self.open.wait()
        if self.away:
            raise KeyringUnavailableError("away")
        return [Resolved(one["user_id"], (), KEY) for one in batch]


def _people(keyring: SlowKeyring) -> People:
    return People(cast("Keyring", keyring))


async def _ask(people: People, *names: str) -> list[str | None]:
    found = await people.resolve([{"user_id": name} for name in names])
    return [one.subject for one in found if isinstance(one, Resolved)]


async def test_each_request_gets_its_own_people_from_a_look_that_was_for_all() -> None:
    keyring = SlowKeyring()
    people = _people(keyring)
    asking = [asyncio.create_task(_ask(people, f"{n}a", f"{n}b")) for n in range(40)]
    await asyncio.sleep(0)

    keyring.open.set()
    answers = await asyncio.gather(*asking)

    assert answers == [[f"{n}a", f"{n}b"] for n in range(40)]
    assert sorted(keyring.looks) == [2, 2, 76]


async def test_everybody_who_waited_for_a_look_learns_that_it_failed() -> None:
    keyring = SlowKeyring(away=True)
    people = _people(keyring)
    asking = [asyncio.create_task(_ask(people, str(n))) for n in range(5)]
    await asyncio.sleep(0)

    keyring.open.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(answer) for answer in answers] == [KeyringUnavailableError] * 5


async def test_nobody_waits_for_longer_than_one_look_at_a_keyring_that_is_away() -> None:
    keyring = SlowKeyring(away=True)
    people = _people(keyring)
    asking = [asyncio.create_task(_ask(people, str(n))) for n in range(5)]
    await asyncio.sleep(0)

    keyring.open.set()
    await asyncio.gather(*asking, return_exceptions=True)

    assert keyring.looks == [1, 1]


async def test_whom_the_keyring_remembers_waits_for_nobody() -> None:
    keyring = SlowKeyring(known=frozenset({"ada"}))
    people = _people(keyring)
    asking = [asyncio.create_task(_ask(people, str(n))) for n in range(5)]
    await asyncio.sleep(0)

    assert await _ask(people, "ada") == ["ada"]

    keyring.open.set()
    await asyncio.gather(*asking)


async def test_a_request_that_is_gone_keeps_nobody_waiting() -> None:
    keyring = SlowKeyring()
    people = _people(keyring)
    first = asyncio.create_task(_ask(people, "a"))
    gone, stays = (asyncio.create_task(_ask(people, name)) for name in ("b", "c"))
    await asyncio.sleep(0)

    gone.cancel()
    keyring.open.set()

    assert await stays == ["c"]
    assert await first == ["a"]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_after_a_failure_the_next_look_is_a_new_one() -> None:
    keyring = SlowKeyring(away=True)
    keyring.open.set()
    people = _people(keyring)
    with pytest.raises(KeyringUnavailableError):
        await _ask(people, "a")

    keyring.away = False

    assert await _ask(people, "a") == ["a"]

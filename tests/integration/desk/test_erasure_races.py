"""An erasure holds whatever is on its way meanwhile, and whatever dies."""

import asyncio
import os
import sys

import httpx2
import pytest
from rapport_cli.stack.processes import free_port, port_answers
from rapport_privacy.crypto import ERASED
from rapport_privacy.keyring import Suppressed
from rapport_profile.privacy.ends import load_ends

from tests.support.desk_house import DESK, DeskHouse, about, fresh_keyring, ticket
from tests.support.ingest_house import a_user, an_id
from tests.support.privacy import an_email, rows_of


async def test_what_is_sent_about_an_erased_person_is_refused_counted_and_not_kept(
    house: DeskHouse,
) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    certificate = await house.erase(await house.send(ticket(who)), **who)
    await asyncio.sleep(house.settings.keyring.cache_seconds)  # what ingest may still remember
    counted = house.ingest.house.tally.rejected.labels("cloudevents", "erased")
    before = counted._value.get()

    late = ticket({"email": who["email"], "anonymous_id": an_id()})
    answer = await house.ingest.send("/v1/events", late, caller="everything")

    assert [one["code"] for one in answer["rejected"]] == ["erased"]
    assert counted._value.get() == before + 1
    held = await house.ingest.get("/v1/ops/quarantine", event_id=late["id"])
    assert held["items"] == []
    assert set((await about(house, certificate["subjects"])).values()) == {0}


async def test_a_name_that_was_still_on_its_way_is_erased_with_its_person(
    house: DeskHouse,
) -> None:
    """The event that tells it is accepted, but not projected yet, when the erasure comes."""
    who, late = {"user_id": a_user()}, {"email": an_email()}
    await house.send(ticket(who))

    sent = [ticket(who) for _ in range(200)]
    await house.send(*sent, ticket({**who, **late}))
    certificate = await house.erase(**who)

    keyring = await fresh_keyring(house)
    assert await keyring.resolve([late]) == [Suppressed(("email",))]
    assert len(certificate["subjects"]) == 2
    await keyring.close()


async def test_an_erasure_races_publishers_and_wins(house: DeskHouse) -> None:
    people = [{"user_id": a_user(), "email": an_email()} for _ in range(10)]
    token = await house.send(*map(ticket, people))
    stop = asyncio.Event()
    sent = 0

    async def publish(who: dict[str, str]) -> None:
        nonlocal sent
        while not stop.is_set():
            events = [ticket(who), ticket({"email": who["email"], "anonymous_id": an_id()})]
            answer = await house.ingest.send("/v1/events", events, caller="everything")
            codes = {one["code"] for one in answer["rejected"]}
            assert codes <= {"erased"}
            sent += answer["accepted"]

    publishing = [asyncio.ensure_future(publish(who)) for who in people]
    async with asyncio.timeout(60):
        while sent <= 20:  # noqa: ASYNC110 - they are in full swing when the erasures come
            await asyncio.sleep(0.01)
    certificates = await asyncio.gather(*(house.erase(token, **who) for who in people))
    await asyncio.sleep(house.settings.keyring.cache_seconds)  # until ingest remembers nobody
    stop.set()
    await asyncio.gather(*publishing)
    await _level(house)

    assert sent > 20
    subjects = [one for certificate in certificates for one in certificate["subjects"]]
    assert set((await about(house, subjects)).values()) == {0}
    keyring = await fresh_keyring(house)
    answers = await keyring.resolve(people)
    assert all(isinstance(answer, Suppressed) for answer in answers)
    kids = [kid for certificate in certificates for kid in certificate["key_ids"]]
    assert set((await keyring.keys(kids)).values()) == {ERASED}
    await keyring.close()
    for certificate in certificates:
        assert certificate["keys_destroyed"] == len(certificate["subjects"])
        assert await _profiles(house, certificate["subjects"]) == 0


async def test_an_erasure_that_was_killed_in_the_middle_is_finished_by_another_process(
    house: DeskHouse,
) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    token = await house.send(ticket(who))
    await house.export(token=token, **who)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rapport_profile", "api"),
        env={
            **os.environ,
            "RAPPORT_HTTP__PORT": str(port),
            "RAPPORT_KAFKA__BOOTSTRAP": house.settings.kafka.bootstrap,
            "RAPPORT_DATABASE__URL": house.databases.profile,
            "RAPPORT_KEYRING__URL": house.databases.keyring,
            "RAPPORT_KEYRING__MASTER_KEY": house.secrets.master_key,
            "RAPPORT_KEYS_FILE": str(house.secrets.keys_file),
            "RAPPORT_FAILPOINTS": "after_keys_destroyed:1",
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        ended = asyncio.ensure_future(process.wait())
        while not await port_answers("127.0.0.1", port):
            assert not ended.done()
            await asyncio.wait({ended}, timeout=0.05)
        with pytest.raises(httpx2.TransportError):
            await client.post(
                DESK,
                json={"kind": "erasure", "identifiers": who},
                headers=house.ingest.auth("everything"),
            )
    assert await ended == -9

    again = await house.ask("erasure", identifiers=who)

    assert (again.status_code, again.json()["code"]) == (410, "already_erased")
    certificate = await house.certificate(again.json()["certificate_id"])
    assert certificate["keys_destroyed"] == 2
    assert set((await about(house, certificate["subjects"])).values()) == {0}


async def _level(house: DeskHouse) -> None:
    """Waits until everything that is in the log now is projected."""
    ends = await load_ends(house.settings)
    wanted = {(topic, n): end for topic, places in ends.items() for n, end in places.items()}
    resources = house.resources
    assert await resources.progress.wait_for(resources.engine, "profile.v1", wanted, 60)


async def _profiles(house: DeskHouse, subjects: list[str]) -> int:
    """Rows of the subjects that are more than a tombstone."""
    listed = ",".join(f"'{one}'" for one in subjects)
    query = f"SELECT count(*) FROM profile WHERE subject_id IN ({listed}) AND erased_at IS NULL"  # noqa: S608 - ours
    count: int = (await rows_of(house.databases.profile, query))[0]["count"]
    return count

"""An erased person is unreadable when the call returns, and gone a moment later, for good."""

import asyncio
import os
import sys
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from aiokafka import TopicPartition
from rapport_cli.stack.processes import free_port, port_answers
from rapport_events.codec import decode
from rapport_events.topics import CUSTOMERS
from rapport_privacy.crypto import ERASED, MasterKey
from rapport_privacy.keyring import Keyring, Suppressed
from rapport_profile.privacy.ends import load_ends
from rapport_runtime.kafka import make_consumer

from tests.support.desk_house import DESK, DeskHouse
from tests.support.ingest_house import PARTITIONS, a_user, an_id
from tests.support.privacy import an_email, rows_of
from tests.support.publishers import cloudevent


def ticket(who: dict[str, str], **data: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    fields = {"ticket": f"T-{an_id()}", "body": "help", "identifiers": who, **data}
    return cloudevent("ticket.created.v1", fields, id=an_id())


async def fresh_keyring(house: DeskHouse) -> Keyring:
    """As a process would open it that starts now."""
    master = MasterKey.from_base64(house.secrets.master_key)
    return await Keyring.open(house.databases.keyring, master)


async def about(house: DeskHouse, subjects: list[str]) -> dict[str, int]:
    """Rows that are left of the subjects, by table."""
    listed = ",".join(f"'{one}'" for one in subjects)
    found = {}
    for table in ("timeline", "reference", "facet", "name_prefix"):
        query = f"SELECT count(*) FROM {table} WHERE subject_id IN ({listed})"  # noqa: S608 - ours
        found[table] = (await rows_of(house.databases.profile, query))[0]["count"]
    query = f"SELECT count(*) FROM identity_edge WHERE a IN ({listed}) OR b IN ({listed})"  # noqa: S608 - ours
    found["identity_edge"] = (await rows_of(house.databases.profile, query))[0]["count"]
    return found


async def erased_facts(house: DeskHouse, certificate: str) -> list[str]:
    """Subjects of the `customer.erased` facts of a certificate, from the log itself."""
    places = [TopicPartition(CUSTOMERS.name, number) for number in range(PARTITIONS)]
    consumer = make_consumer(house.settings, None)
    await consumer.start()
    consumer.assign(places)
    found: list[str] = []
    try:
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                envelopes = [decode(record.value) for record in records]
                found += [
                    str(one.subject)
                    for one in envelopes
                    if one.type == "customer.erased.v1" and certificate.encode() in bytes(one.data)
                ]
    finally:
        # aiokafka's coordinator for consumers without a group is cancelled by its own close.
        with suppress(asyncio.CancelledError):
            await consumer.stop()
    return found


async def test_keys_and_names_are_gone_when_the_call_returns(house: DeskHouse) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    token = await house.send(ticket(who))
    subject = await house.keyring.find("user_id", who["user_id"])
    first, *_ = await house.export(token=token, **who)

    asked = await house.ask("erasure", token=token, identifiers=who)
    keyring = await fresh_keyring(house)

    assert asked.status_code == 201
    assert asked.json()["status"] in {"erasing", "purging", "completed"}
    assert first["data"]["body"] == "help"
    assert await keyring.resolve([who]) == [Suppressed(("user_id", "email"))]
    assert await keyring.identifiers([str(subject)]) == {subject: []}
    certificate = await house.certificate(asked.json()["id"])
    assert set((await keyring.keys(certificate["key_ids"])).values()) == {ERASED}
    await keyring.close()


async def test_the_certificate_tells_everything_that_went(house: DeskHouse) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    created = cloudevent(
        "customer.created.v1", {"first_name": "Ada", "identifiers": who}, id=an_id()
    )
    token = await house.send(created, ticket(who), ticket({"email": who["email"]}))

    certificate = await house.erase(token, **who)

    subjects = certificate["subjects"]
    assert len(subjects) == certificate["keys_destroyed"] == len(certificate["key_ids"]) == 2
    assert certificate["identifiers_suppressed"] == 2
    [projection] = certificate["projections"]
    assert (projection["projection"], projection["subjects"]) == ("profile.v1", 2)
    assert projection["rows"]["timeline"] >= 3
    assert projection["rows"]["reference"] == 2
    assert projection["rows"]["identity_edge"] >= 1
    times = [certificate[name] for name in ("requested_at", "keys_destroyed_at", "published_at")]
    assert times == sorted(times)
    assert certificate["completed_at"] >= certificate["published_at"]
    assert set((await about(house, subjects)).values()) == {0}
    assert sorted(await erased_facts(house, certificate["certificate_id"])) == subjects
    assert not {*who.values()} & set(str(certificate).split("'"))


async def test_an_erased_person_is_gone_for_every_reader(house: DeskHouse) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    event = ticket(who)
    token = await house.send(event)

    certificate = await house.erase(token, **who)

    for ref in (
        f"user_id:{who['user_id']}",
        f"email:{who['email']}",
        f"ticket:{event['data']['ticket']}",
        *certificate["subjects"],
    ):
        found = await house.get(f"/v1/profiles/{ref}")
        assert found.status_code in {404, 410}, found.text


async def test_everybody_who_is_the_same_person_is_erased(house: DeskHouse) -> None:
    one, other = {"user_id": a_user()}, {"email": an_email()}
    merge = cloudevent("customer.merged.v1", {"identifiers": one, "from": other}, id=an_id())
    token = await house.send(ticket(one), ticket(other), merge)

    certificate = await house.erase(token, **other)

    assert len(certificate["subjects"]) == 2
    keyring = await fresh_keyring(house)
    assert await keyring.resolve([one]) == [Suppressed(("user_id",))]
    await keyring.close()


async def test_a_person_is_erased_by_subject_too(house: DeskHouse) -> None:
    who = {"user_id": a_user()}
    token = await house.send(ticket(who))
    subject = await house.keyring.find("user_id", who["user_id"])

    asked = await house.ask("erasure", token=token, subject=subject)
    again = await house.ask("erasure", subject=subject)

    assert (await house.certificate(asked.json()["id"]))["subjects"] == [subject]
    assert (again.status_code, again.json()["code"]) == (410, "already_erased")


async def test_a_repeated_erasure_names_the_certificate_of_the_first(house: DeskHouse) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    certificate = await house.erase(await house.send(ticket(who)), **who)

    for kind in ("erasure", "access"):
        again = await house.ask(kind, identifiers={"email": who["email"]})

        assert (again.status_code, again.json()["code"]) == (410, "already_erased")
        assert again.json()["certificate_id"] == certificate["certificate_id"]


async def test_an_export_asked_for_before_the_erasure_is_not_given_after_it(
    house: DeskHouse,
) -> None:
    who = {"user_id": a_user()}
    token = await house.send(ticket(who))
    asked = await house.ask("access", token=token, identifiers=who)

    await house.erase(**who)
    export = await house.get(asked.json()["export"])

    assert (export.status_code, export.json()["code"]) == (410, "already_erased")


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
    assert await resources.progress.wait_for(resources.engine, "profile.v1", wanted, 30)


async def _profiles(house: DeskHouse, subjects: list[str]) -> int:
    """Rows of the subjects that are more than a tombstone."""
    listed = ",".join(f"'{one}'" for one in subjects)
    query = f"SELECT count(*) FROM profile WHERE subject_id IN ({listed}) AND erased_at IS NULL"  # noqa: S608 - ours
    count: int = (await rows_of(house.databases.profile, query))[0]["count"]
    return count

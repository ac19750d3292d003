"""An erased person is unreadable when the call returns, and gone a moment later, for good."""

import asyncio
from contextlib import suppress

from aiokafka import TopicPartition
from rapport_events.codec import decode
from rapport_events.topics import CUSTOMERS
from rapport_privacy.crypto import ERASED
from rapport_privacy.keyring import Suppressed
from rapport_profile.projection import projection
from rapport_runtime.database import create_patient_engine
from rapport_runtime.kafka import make_consumer
from rapport_runtime.rebuild import Site, rebuild, roll_back

from tests.support.desk_house import DeskHouse, about, fresh_keyring, ticket
from tests.support.ingest_house import PARTITIONS, a_user, an_id
from tests.support.privacy import an_email, rows_of
from tests.support.publishers import cloudevent


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


async def test_a_version_that_a_rebuild_replaced_forgets_an_erased_person_too(
    house: DeskHouse,
) -> None:
    who, friend = {"user_id": a_user()}, {"user_id": a_user()}
    token = await house.send(ticket(who), ticket(friend))
    await house.export(token=token, **who)
    engine = create_patient_engine(house.settings)
    site = Site(
        projection=projection(house.settings),
        settings=house.settings,
        engine=engine,
        tell=lambda _step, _figures: None,
    )
    assert (await rebuild(site))["status"] == "promoted"
    kept = "SELECT subject_id::text FROM profile_previous.timeline ORDER BY 1"
    both = [row["subject_id"] for row in await rows_of(house.databases.profile, kept)]

    certificate = await house.erase(**who)

    left = [row["subject_id"] for row in await rows_of(house.databases.profile, kept)]
    assert left == [one for one in both if one not in certificate["subjects"]]
    assert len(left) == len(both) - 1
    await roll_back(site)
    assert set((await about(house, certificate["subjects"])).values()) == {0}
    await engine.dispose()

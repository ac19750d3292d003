"""An answer says how current it is, and a token never gets an older one."""

import asyncio

from rapport_runtime.http.consistency import encode_token

from tests.support.events import TOPIC, new_subject
from tests.support.privacy import a_name
from tests.support.profile_house import House, token_of
from tests.support.sealed import told


async def test_an_answer_tells_the_position_of_what_it_shows(house: House) -> None:
    who = {"user_id": a_name()}
    record = await told(house.keyring, who, "order.placed", order="O-1")
    await house.tell(record)

    meta = (await house.read(f"/v1/profiles/user_id:{who['user_id']}"))["meta"]

    assert meta["position"] == {record.topic: {str(record.partition): record.offset + 1}}
    assert (meta["lag_ms"], meta["projection_version"]) == (0, "profile.v1")


async def test_a_token_waits_for_its_event(house: House) -> None:
    who = {"user_id": a_name()}
    first = await told(house.keyring, who, "order.placed", order="O-1")
    second = await told(house.keyring, who, "order.placed", order="O-2")
    await house.tell(first)

    reading = asyncio.create_task(
        house.read(
            f"/v1/profiles/user_id:{who['user_id']}", consistency_token=token_of(second),
            prefer="wait=10",
        )
    )  # fmt: skip
    await house.tell(second)

    assert (await reading)["orders"]["count"] == 2


async def test_a_token_of_the_future_gets_no_stale_answer(house: House) -> None:
    who = {"user_id": a_name()}
    record = await told(house.keyring, who, "order.placed", order="O-1")
    await house.tell(record)
    token = encode_token({(TOPIC, 0): record.offset + 1})

    answers = [
        await house.get(path, consistency_token=token, prefer="wait=0")
        for path in (
            f"/v1/profiles/user_id:{who['user_id']}",
            f"/v1/profiles/user_id:{who['user_id']}/timeline",
            f"/v1/profiles?user_id={who['user_id']}",
            f"/v1/profiles/{new_subject()}",
        )
    ]

    assert [answer.status_code for answer in answers] == [425] * 4
    assert answers[0].json()["position"] == {TOPIC: {"0": record.offset + 1}}


async def test_what_is_no_token_is_refused(house: House) -> None:
    answer = await house.get(f"/v1/profiles/{new_subject()}", consistency_token="e30x")  # noqa: S106

    assert (answer.status_code, answer.json()["code"]) == (400, "consistency_token_malformed")

"""Finding customers by what they are called and by what is theirs."""

import pytest

from tests.support.events import new_subject
from tests.support.privacy import a_name, an_email
from tests.support.profile_house import House
from tests.support.sealed import told


async def test_all_criteria_must_name_the_same_customer(house: House) -> None:
    ada = {"user_id": a_name(), "email": an_email(), "phone": "+4930901820"}
    bob = {"user_id": a_name(), "email": an_email()}
    await house.tell(
        await told(house.keyring, ada, "order.placed", order="O-1"),
        await told(house.keyring, bob, "ticket.created", ticket="T-1"),
    )

    async def hits(query: str) -> list[str]:
        found = await house.read(f"/v1/profiles?{query}")
        return [
            identity["value"]
            for one in found["profiles"]
            for identity in one["identities"]
            if identity["kind"] == "user_id"
        ]

    assert await hits(f"email={ada['email']}") == [ada["user_id"]]
    assert await hits(f"email={ada['email']}&order=O-1") == [ada["user_id"]]
    assert await hits(f"email={ada['email']}&ticket=T-1") == []
    assert await hits("phone=+4930901820") == [ada["user_id"]]
    assert await hits("identifier=user_id:" + bob["user_id"]) == [bob["user_id"]]
    assert await hits(f"user_id={a_name()}") == []


async def test_a_number_that_many_have_is_paged(house: House) -> None:
    everybody = [{"user_id": a_name()} for _ in range(5)]
    await house.tell(
        *[await told(house.keyring, who, "order.placed", order="1001") for who in everybody]
    )

    found: list[str] = []
    cursor = ""
    while True:
        page = await house.read(f"/v1/profiles?order=1001&limit=2{cursor}")
        found += [one["subject"] for one in page["profiles"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert len(found) == len(set(found)) == 5


async def test_a_hit_is_masked_as_a_profile_is(house: House) -> None:
    who = {"user_id": a_name()}
    await house.tell(
        await told(house.keyring, who, "customer.created", personal={"first_name": "Ada"})
    )

    found = await house.read(f"/v1/profiles?user_id={who['user_id']}", "masked")

    assert found["profiles"][0]["traits"]["first_name"]["value"] is None
    assert found["meta"]["masked"] == ["identities[].value", "traits.first_name"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("", ""), ("limit=3", ""), ("q=ada", "/q"), ("email=ada", "/email"),
     ("identifier=ada", "/identifier"), (f"order=1&cursor={new_subject()}", None)],
)  # fmt: skip
async def test_a_search_without_sense_is_refused(
    house: House, query: str, pointer: str | None
) -> None:
    answer = await house.get(f"/v1/profiles?{query}")

    assert answer.status_code == (400 if pointer is None else 422)
    if pointer is not None:
        assert answer.json()["errors"][0]["pointer"] == pointer

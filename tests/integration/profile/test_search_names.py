"""Finding customers by what they are called."""

import asyncio
from datetime import UTC, datetime

from tests.support.privacy import a_name, an_email, resolved
from tests.support.profile_house import House
from tests.support.sealed import told
from tests.support.searching import called, find, first_names, index, tell


async def test_people_are_found_by_how_their_names_begin(house: House) -> None:
    await tell(
        house,
        await called(house, "Ada", "Lovelace"),
        await called(house, "José", "Núñez"),
        await called(house, "Zoë", "O'Neil"),
        await called(house, "Hubert", "Wolfeschlegelsteinhausen"),
    )
    meant = {
        "Ada": ["Ad", "ADA", "ada lov", "lov ada", "l ada", "love"],
        "José": ["jose", "NUÑEZ", "josé nun"],
        "Zoë": ["oneil", "o'neil zoe"],
        "Hubert": ["wolfeschlegelsteinhausen", "wolfeschlegels"],
        "": ["ada grant", "lovelace-byron", "wolfeschlegelbergerdorff", "da", "ada lovelace king"],
    }

    for first, beginnings in meant.items():
        for asked in beginnings:
            assert await find(house, f"q={asked}") == ([first] if first else []), asked


async def test_traits_are_names_too_and_a_company_is_one(house: House) -> None:
    traits = {
        "firstName": "Grace",
        "name": "Grace Hopper",
        "company": {"name": "Navy"},
        "plan": "pro",
    }
    await tell(
        house,
        await told(house.keyring, {"user_id": a_name()}, "customer.identified",
                   personal={"traits": traits}),
    )  # fmt: skip

    async def count(query: str) -> int:
        return len((await house.read(f"/v1/profiles?q={query}"))["profiles"])

    assert [await count(query) for query in ("grace", "hop", "navy gra", "pro")] == [1, 1, 1, 0]


async def test_somebody_is_found_by_their_present_name_only(house: House) -> None:
    who = {"user_id": a_name()}
    await tell(house, await called(house, "Ada", "Byron", **who))
    marriage = await told(
        house.keyring, who, "customer.identified", datetime.now(UTC),
        personal={"traits": {"last_name": "Lovelace"}},
    )  # fmt: skip

    await tell(house, marriage)

    assert (await find(house, "q=lovelace"), await find(house, "q=byron")) == (["Ada"], [])


async def test_names_are_for_those_who_may_see_them(house: House) -> None:
    await tell(house, await called(house, "Ada", "Lovelace"))

    answer = await house.get("/v1/profiles?q=ada", "masked")

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert answer.json()["scope"] == "profile:pii"


async def test_pages_of_names_miss_nobody_and_repeat_nobody(house: House) -> None:
    everybody = [f"Mar{letter * 2}" for letter in "abcdefghijk"]
    await tell(house, *[await called(house, one, "Smith") for one in everybody])

    assert sorted(await find(house, "q=mar&limit=3")) == everybody
    assert sorted(await find(house, "q=smith%20mar&limit=1")) == everybody


async def test_a_merged_person_is_found_once_and_an_erased_one_never(house: House) -> None:
    ada, twin, eve = {"user_id": a_name()}, {"email": an_email()}, {"user_id": a_name()}
    await tell(
        house,
        await called(house, "Ada", "Lovelace", **ada),
        await called(house, "Ada", "Lovelace", **twin),
        await called(house, "Ada", "Byron", **eve),
    )
    await tell(house, await told(house.keyring, {**ada, **twin}, "page.viewed", page="home"))
    erased = (await resolved(house.keyring, **eve)).subject
    assert erased is not None

    await house.keyring.erase([erased], certificate_id="cert-1")

    for query in ("q=ada", "q=ada&limit=1", "stage=prospect", "stage=prospect&limit=1"):
        assert await find(house, query) == ["Ada"], query


async def test_a_token_waits_until_its_name_can_be_found(house: House) -> None:
    token = await house.tell(await called(house, "Ada", "Lovelace"))
    early = await house.get("/v1/profiles?q=ada", consistency_token=token, prefer="wait=0")

    waiting = asyncio.create_task(
        house.read("/v1/profiles?q=ada", consistency_token=token, prefer="wait=10")
    )
    await index(house)

    assert (early.status_code, early.json()["code"]) == (425, "not_yet_visible")
    assert first_names(await waiting) == ["Ada"]

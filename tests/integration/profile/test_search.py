"""Finding customers by what is theirs, and by where they stand."""

from datetime import UTC, datetime
from typing import Any

from rapport_events.envelope import Record
from rapport_profile import finding, names, queries
from sqlalchemy import text

from tests.support.events import days, new_subject
from tests.support.privacy import a_name, an_email
from tests.support.profile_house import House
from tests.support.sealed import told
from tests.support.searching import called, find, tell


async def execute(house: House, statement: str) -> None:
    async with house.resources.engine.begin() as tx:
        await tx.execute(text(statement))


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


async def test_a_search_without_sense_is_refused(house: House) -> None:
    wrong = {
        "": "", "limit=3": "", "q=a": "/q", "q=%21%21%21": "/q", "email=ada": "/email",
        "stage=asleep": "/stage", "consent=email": "/consent/0", "segment=": "/segment",
        "name=ada": "/name", "identifier=ada": "/identifier",
    }  # fmt: skip

    for query, pointer in wrong.items():
        answer = await house.get(f"/v1/profiles?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), query

    foreign = await house.get(f"/v1/profiles?order=1&cursor={new_subject()}")
    assert foreign.status_code == 400


async def test_filters_and_names_and_identifiers_go_together(house: House) -> None:
    now = datetime.now(UTC)
    ada, bob, eve = ({"user_id": a_name()} for _ in range(3))

    async def register(who: dict[str, str], first: str, **more: Any) -> Record:  # noqa: ANN401
        return await told(
            house.keyring, who, "customer.created", now - days(200),
            personal={"first_name": first, "last_name": "Smith"}, **more,
        )  # fmt: skip

    async def buy(who: dict[str, str], ago: float) -> Record:
        return await told(
            house.keyring, who, "order.placed", now - days(ago), order="1001", amount=5
        )

    await tell(
        house,
        await register(ada, "Ada", segment="vip", email_consent=True),
        await register(bob, "Bob", segment="vip"),
        await register(eve, "Eve", email_consent=True),
        await buy(ada, 1),
        await buy(bob, 100),
        await told(house.keyring, bob, "consent.granted", channel="sms", purpose="service"),
    )

    async def named(query: str) -> list[str]:
        return sorted(await find(house, query))

    assert await named("stage=new") == ["Ada"]
    assert await named("stage=lapsed") == ["Bob"]
    assert await named("stage=prospect") == ["Eve"]
    assert await named("segment=vip") == ["Ada", "Bob"]
    assert await named("segment=vip&limit=1") == ["Ada", "Bob"]
    assert await named("consent=email/marketing") == ["Ada", "Eve"]
    assert await named("consent=email/marketing&segment=vip") == ["Ada"]
    assert await named("consent=sms/service&consent=email/marketing") == []
    assert await named("q=smith&stage=lapsed") == ["Bob"]
    assert await named("q=smith&segment=vip&limit=1") == ["Ada", "Bob"]
    assert await named("order=1001&stage=new") == ["Ada"]
    assert await named("order=1001&q=bo") == ["Bob"]
    assert await named(f"user_id={ada['user_id']}&stage=new&q=smith") == ["Ada"]
    assert await named(f"user_id={ada['user_id']}&segment=other") == []


async def test_a_cursor_belongs_to_its_filters(house: House) -> None:
    await tell(house, *[await called(house, "Ada", "Smith") for _ in range(3)])
    page = await house.read("/v1/profiles?q=ada&limit=1")

    answer = await house.get(f"/v1/profiles?q=ad&limit=1&cursor={page['next_cursor']}")

    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_malformed")


async def test_a_stage_that_time_has_ended_is_not_shown(house: House) -> None:
    ada = {"user_id": a_name()}
    now = datetime.now(UTC)
    await house.tell(
        await called(house, "Ada", "Smith", **ada),
        await told(house.keyring, ada, "order.placed", now - days(1), order="O-1", amount=5),
    )
    # As if the sweep had stood still since a time when she was somebody else.
    await execute(house, "UPDATE facet SET stage = 'at_risk'")

    assert await find(house, "stage=at_risk") == []


async def test_every_hit_is_audited(house: House) -> None:
    await tell(house, await called(house, "Ada", "Smith"), await called(house, "Eve", "Smith"))

    await house.read("/v1/profiles?q=smith", x_purpose="call c-1")

    reads = (await house.read("/v1/ops/audit", "ops"))["reads"]
    assert [(read["action"], read["purpose"]) for read in reads] == [("search", "call c-1")] * 2


async def test_a_page_examines_no_more_than_its_share(house: House) -> None:
    await tell(house, *[await called(house, "Ada", "Smith") for _ in range(11)])
    await execute(
        house,
        "UPDATE facet SET segment = 'rare' WHERE subject_id ="
        " (SELECT max(subject_id::text)::uuid FROM facet)",
    )
    ada, rare = names.token(house.keyring, "ada"), finding.Filters(segment="rare")

    pages: list[finding.Found] = []
    after: str | None = ""
    async with queries.snapshot(house.app.state.library.pool) as snap:
        while after is not None:
            pages.append(await finding.by_name(snap, [ada], rare, after, 20, examined=4))
            after = pages[-1].next

    assert [len(page.roots) for page in pages] == [0, 0, 1]

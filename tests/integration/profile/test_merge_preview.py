"""What a merge would change, before anybody merges."""

from typing import Any, Final

from sqlalchemy import text

from tests.support.events import NOON, days, happened, new_subject
from tests.support.identity_work import Two, merge_of, person, two_users_of_a_mailbox, without_meta
from tests.support.privacy import a_name, resolved
from tests.support.profile_house import House
from tests.support.sealed import told

BAD_PREVIEWS: Final[list[tuple[object, int, str]]] = [
    ({"profiles": ["user_id:nobody-1", "user_id:nobody-2"]}, 404, "customer_not_found"),
    ({"profiles": [new_subject(), new_subject()]}, 404, "customer_not_found"),
    ({"profiles": ["nonsense", "user_id:u-1"]}, 422, "malformed_ref"),
    ({"profiles": ["user_id:u-1"]}, 422, "validation_failed"),
    ({"profiles": ["user_id:u-1"] * 3}, 422, "validation_failed"),
    ({"profiles": "user_id:u-1"}, 422, "validation_failed"),
    ({"profiles": ["user_id:u-1", 7]}, 422, "validation_failed"),
    ({"profiles": ["user_id:u-1", "x:y"], "merge": True}, 422, "validation_failed"),
    ([], 422, "validation_failed"),
]


async def preview(house: House, *refs: str, caller: str = "agent") -> dict[str, Any]:
    answer = await house.post("/v1/profiles:preview-merge", {"profiles": list(refs)}, caller)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_without_profile_pii_no_identifier_is_shown_but_its_kind(house: House) -> None:
    two = await two_users_of_a_mailbox(house)
    await house.tell(await merge_of(house, two.one, a_name()))

    listed = await house.read("/v1/merge-suggestions", "masked")
    links = await house.read(f"/v1/profiles/user_id:{two.one}/links", "masked")
    shown = await preview(house, f"user_id:{two.one}", f"user_id:{two.other}", caller="masked")

    for answer in (listed, links, shown):
        assert not any(name in str(answer) for name in two)
    assert listed["meta"]["masked"] == [
        "suggestions[].accept.data.from",
        "suggestions[].accept.data.identifiers",
        "suggestions[].dismiss.data.identifiers",
        "suggestions[].sides[].identities[].value",
    ]
    assert {end["kind"] for link in links["links"] for end in link["ends"]} == {"email", "user_id"}
    assert "links[].ends[].value" in links["meta"]["masked"]
    assert "merge.data.from" in shown["meta"]["masked"]


async def test_a_preview_is_what_the_merge_then_makes(house: House) -> None:
    two = await two_customers_with_a_past(house)

    shown = await preview(house, f"user_id:{two.one}", f"user_id:{two.other}")
    await house.tell(await merge_of(house, two.one, two.other))
    merged = await person(house, two.other)

    assert without_meta(shown["result"]) == merged
    assert shown["merge"]["data"]["identifiers"] == {"user_id": two.one}
    assert shown["merge"]["data"]["from"] == {"user_id": two.other}


async def test_a_preview_says_what_would_change_and_whose_word_wins(house: House) -> None:
    two = await two_customers_with_a_past(house)
    one, other = await person(house, two.one), await person(house, two.other)

    shown = await preview(house, f"user_id:{two.one}", f"user_id:{two.other}")

    changes = shown["changes"]
    [plan] = changes["traits"]
    assert (plan["name"], plan["result"], plan["wins"]) == ("plan", "pro", other["subject"])
    assert plan["why"] == "said last"
    assert [value["value"] for value in plan["values"]] == ["free", "pro"]
    [consent] = changes["consents"]
    assert (consent["name"], consent["result"]) == ("email/marketing", False)
    assert changes["stage"]["before"] == [each["lifecycle"]["stage"] for each in (one, other)]
    assert changes["stage"]["after"] == shown["result"]["lifecycle"]["stage"]
    assert changes["counts"]["orders"] == {"before": [1, 2], "after": 3}
    assert changes["counts"]["open_tickets"] == {"before": [1, 0], "after": 1}
    assert (changes["joined"], changes["left"]) == ([], [])
    assert shown["guards"] == [{"kind": "user_id", "total": 2, "limit": 1}]
    assert len(shown["settles"]) == 1
    assert shown["refuses"] == []


async def test_a_preview_writes_nothing_but_the_audit_trail(house: House) -> None:
    two = await two_customers_with_a_past(house)
    before = await everything(house)

    await preview(house, f"user_id:{two.one}", f"user_id:{two.other}")

    assert await everything(house) == before
    reads = (await house.read("/v1/ops/audit?limit=5", "ops"))["reads"]
    assert [read["action"] for read in reads[:3]].count("preview") == 2


async def test_a_preview_of_what_cannot_be_merged_is_refused(house: House) -> None:
    for body, status, code in BAD_PREVIEWS:
        answer = await house.post("/v1/profiles:preview-merge", body, "agent")

        assert (answer.status_code, answer.json()["code"]) == (status, code), body


async def test_a_malformed_name_in_a_preview_is_pointed_at(house: House) -> None:
    body = {"profiles": ["user_id:u-1", "nonsense"]}

    answer = await house.post("/v1/profiles:preview-merge", body, "agent")

    [error] = answer.json()["errors"]
    assert error["pointer"] == "/profiles/1"


async def test_one_person_cannot_be_merged_with_themselves(house: House) -> None:
    two = await two_users_of_a_mailbox(house)

    answer = await house.post(
        "/v1/profiles:preview-merge",
        {"profiles": [f"user_id:{two.one}", f"email:{two.email}"]},
        "agent",
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "already_one_person")
    assert answer.json()["subject"] == (await person(house, two.one))["subject"]


async def two_customers_with_a_past(house: House) -> Two:
    """Both have orders, traits and consents; they differ in plan and in consent."""
    two = await two_users_of_a_mailbox(house)
    one, other = {"user_id": two.one}, {"user_id": two.other}
    keyring = house.keyring
    for who, plan, day in ((one, "free", 2), (other, "pro", 3)):
        traits = {"traits": {"plan": plan, "city": "Rome"}}
        await house.tell(
            await told(keyring, who, "customer.identified", NOON + days(day), personal=traits),
            await told(
                keyring, who, "order.placed", NOON + days(day), order=a_name(), amount=100,
                currency="EUR",
            ),
        )  # fmt: skip
    await house.tell(await told(keyring, one, "ticket.created", NOON + days(4), ticket=a_name()))
    await house.tell(
        await told(keyring, other, "order.placed", NOON + days(4), order=a_name(), amount=5)
    )
    for user, verb, day in ((two.one, "granted", 4), (two.other, "withdrawn", 5)):
        person_of = await resolved(keyring, user_id=user)
        words = {"channel": "email", "purpose": "marketing"}
        await house.tell(
            happened(f"consent.{verb}", person_of.subject, NOON + days(day), fields=words)
        )
    return two


async def everything(house: House) -> dict[str, list[Any]]:
    """Every row of the database but the audit trail's."""
    found = {}
    async with house.resources.engine.connect() as connection:
        tables = await connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        )
        for (table,) in tables:
            if not table.startswith("audit"):
                rows = await connection.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608
                found[table] = sorted(map(repr, rows))
    return found

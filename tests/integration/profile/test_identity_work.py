"""Who may be one person, why somebody is, and what a merge would change."""

from typing import Any, Final

from sqlalchemy import text

from tests.support.events import NOON, days, happened, new_subject
from tests.support.identity_work import (
    Two,
    merge_of,
    two_names,
    two_users_of_a_mailbox,
    unmerge_of,
    without_meta,
)
from tests.support.privacy import a_name, an_email, resolved
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

BAD_QUESTIONS: Final = [
    ("/v1/merge-suggestions?cursor=nonsense", 400),
    ("/v1/merge-suggestions?limit=0", 422),
    ("/v1/merge-suggestions?limit=101", 422),
    ("/v1/merge-suggestions?since=2026-01-01", 422),
    ("/v1/profiles/user_id:nobody-at-all/links", 404),
    ("/v1/profiles/nonsense/links", 422),
    ("/v1/profiles/order:O-404/links", 404),
]


async def suggestions(house: House, caller: str = "agent") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.read("/v1/merge-suggestions", caller))["suggestions"]
    return found


async def preview(house: House, *refs: str, caller: str = "agent") -> dict[str, Any]:
    answer = await house.post("/v1/profiles:preview-merge", {"profiles": list(refs)}, caller)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def walk(house: House, path: str) -> list[dict[str, Any]]:
    """At most ten pages of a list."""
    pages: list[dict[str, Any]] = []
    while len(pages) < 10:
        answer = await house.get(path)
        pages.append(answer.json())
        if pages[-1]["next_cursor"] is None:
            break
        path = answer.links["next"]["url"]
    return pages


async def person(house: House, user: str) -> dict[str, Any]:
    return without_meta(await house.read(f"/v1/profiles/user_id:{user}"))


async def test_two_users_of_one_mailbox_stay_two_and_are_suggested(house: House) -> None:
    two = await two_users_of_a_mailbox(house)

    one, other = await person(house, two.one), await person(house, two.other)
    [found] = await suggestions(house)

    assert one["subject"] != other["subject"]
    assert found["reason"] == "user_id: 2 > 1"
    assert {side["subject"] for side in found["sides"]} == {one["subject"], other["subject"]}
    named = [{one["kind"]: one["value"] for one in side["identities"]} for side in found["sides"]]
    assert {"user_id": two.one, "email": two.email} in named
    assert {"user_id": two.other} in named
    assert {"email": 1, "user_id": 1} in [side["kinds"] for side in found["sides"]]


async def test_a_suggestion_names_the_event_behind_it_and_what_to_send(house: House) -> None:
    two = two_names()
    first = await told(house.keyring, {"user_id": two.one, "email": two.email}, "session.signed_in")
    second = await told(
        house.keyring,
        {"user_id": two.other, "email": two.email},
        "session.signed_in",
        NOON + days(1),
    )
    await house.tell(first, second)

    [found] = await suggestions(house)

    assert found["told_by"]["event"] == second.key.hex()
    assert found["told_by"]["id"] == second.envelope.id
    assert found["told_by"]["type"] == "session.signed_in.v1"
    assert found["since"] == "2026-03-02T12:00:00.000Z"
    assert found["accept"]["type"] == "customer.merged.v1"
    sides = [found["accept"]["data"][name] for name in ("identifiers", "from")]
    assert sorted(side["user_id"] for side in sides) == sorted([two.one, two.other])
    assert found["dismiss"]["type"] == "customer.unmerged.v1"
    assert found["dismiss"]["data"]["merge_event_id"] == found["merge"]["event_id"]
    assert found["dismiss"]["data"]["merge_source"] == "/rapport/profile"


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


async def test_suggestions_come_page_by_page_each_once(house: House) -> None:
    pairs = [await two_users_of_a_mailbox(house) for _ in range(3)]

    pages = await walk(house, "/v1/merge-suggestions?limit=1")
    found = [page["suggestions"][0]["merge"]["event_id"] for page in pages]

    assert len(found) == len(set(found)) == len(pairs)


async def test_an_accepted_suggestion_is_gone_and_an_unmerge_brings_it_back(house: House) -> None:
    two = await two_users_of_a_mailbox(house)
    merge = await merge_of(house, two.one, two.other)

    before = [await person(house, user) for user in (two.one, two.other)]
    await house.tell(merge)
    accepted = await suggestions(house)
    together = await person(house, two.one)
    await house.tell(
        await unmerge_of(house, two.one, {"event_id": merge.envelope.id, "source": "/desk"})
    )
    after = [await person(house, user) for user in (two.one, two.other)]

    assert accepted == []
    assert len(together["subjects"]) == 3
    assert after == before
    assert len(await suggestions(house)) == 1


async def test_a_dismissed_suggestion_never_comes_back(house: House) -> None:
    two = await two_users_of_a_mailbox(house)
    [found] = await suggestions(house)

    await house.tell(await unmerge_of(house, two.one, found["merge"]))
    again = {"user_id": two.other, "email": two.email}
    await house.tell(await told(house.keyring, again, "session.signed_in", NOON + days(20)))

    assert await suggestions(house) == []
    [link] = (await house.read(f"/v1/profiles/user_id:{two.other}/links"))["links"]
    assert (link["state"], link["undo"]) == ("cut", None)


async def test_links_tell_why_subjects_are_one_person_and_how_to_undo_it(house: House) -> None:
    two = await two_users_of_a_mailbox(house)
    merge = await merge_of(house, two.one, two.other, event_id="merge-7")
    await house.tell(merge)

    shown = await house.read(f"/v1/profiles/user_id:{two.other}/links")

    assert [link["state"] for link in shown["links"]] == ["live", "live", "live"]
    assert [link["explicit"] for link in shown["links"]] == [False, False, True]
    linked, _, said = shown["links"]
    assert {end["value"] for end in linked["ends"]} == {two.one, two.email}
    assert linked["merge"]["source"] == "/rapport/profile"
    assert {end["value"] for end in said["ends"]} == {two.one, two.other}
    assert said["merge"] == {"event_id": "merge-7", "source": "/desk"}
    assert said["told_by"]["event"] == merge.key.hex()
    assert said["undo"]["data"]["merge_event_id"] == "merge-7"
    assert all(end["person"] == shown["subject"] for link in shown["links"] for end in link["ends"])


async def test_a_link_that_was_cut_says_by_which_event(house: House) -> None:
    user, email = a_name(), an_email()
    who = {"user_id": user, "email": email}
    await house.tell(await told(house.keyring, who, "session.signed_in"))
    [link] = (await house.read(f"/v1/profiles/user_id:{user}/links"))["links"]
    cut = await unmerge_of(house, user, link["merge"])

    await house.tell(cut)

    shown = await house.read(f"/v1/profiles/user_id:{user}/links")
    assert len(shown["subjects"]) == 1
    [link] = shown["links"]
    assert link["state"] == "cut"
    assert link["cut"]["event"] == cut.key.hex()
    assert link["cut"]["at"] == "2026-03-11T12:00:00.000Z"
    assert len({end["person"] for end in link["ends"]}) == 2


async def test_links_come_page_by_page_the_oldest_first(house: House) -> None:
    user = a_name()
    for day in range(5):
        who = {"user_id": user, "anonymous_id": a_name()}
        await house.tell(await told(house.keyring, who, "session.signed_in", NOON + days(day)))

    pages = await walk(house, f"/v1/profiles/user_id:{user}/links?limit=2")
    seen = [link["since"] for page in pages for link in page["links"]]

    assert len(seen) == 5
    assert seen == sorted(seen)


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


async def test_each_person_in_an_answer_is_in_the_audit_trail(house: House) -> None:
    two = await two_users_of_a_mailbox(house)
    people = {(await person(house, user))["subject"] for user in (two.one, two.other)}

    await suggestions(house)
    await house.read(f"/v1/profiles/user_id:{two.other}/links")
    reads = (await house.read("/v1/ops/audit?limit=20", "ops"))["reads"]

    for action in ("suggestions", "links"):
        assert {read["person"] for read in reads if read["action"] == action} == people


async def test_a_preview_of_what_cannot_be_merged_is_refused(house: House) -> None:
    for body, status, code in BAD_PREVIEWS:
        answer = await house.post("/v1/profiles:preview-merge", body, "agent")

        assert (answer.status_code, answer.json()["code"]) == (status, code), body


async def test_a_malformed_name_in_a_preview_is_pointed_at(house: House) -> None:
    body = {"profiles": ["user_id:u-1", "nonsense"]}

    answer = await house.post("/v1/profiles:preview-merge", body, "agent")

    [error] = answer.json()["errors"]
    assert error["pointer"] == "/profiles/1"


async def test_whoever_was_erased_is_suggested_no_more_and_cannot_be_merged(house: House) -> None:
    two = await two_users_of_a_mailbox(house)
    gone = await resolved(house.keyring, user_id=two.other)

    await house.tell(happened("customer.erased", gone.subject, NOON + days(5)))
    answer = await house.post(
        "/v1/profiles:preview-merge",
        {"profiles": [f"user_id:{two.one}", gone.subject]},
        "agent",
    )
    links = await house.get(f"/v1/profiles/{gone.subject}/links")

    assert await suggestions(house) == []
    assert (answer.status_code, answer.json()["code"]) == (410, "customer_erased")
    assert links.status_code == 410


async def test_one_person_cannot_be_merged_with_themselves(house: House) -> None:
    two = await two_users_of_a_mailbox(house)

    answer = await house.post(
        "/v1/profiles:preview-merge",
        {"profiles": [f"user_id:{two.one}", f"email:{two.email}"]},
        "agent",
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "already_one_person")
    assert answer.json()["subject"] == (await person(house, two.one))["subject"]


async def test_bad_questions_are_answered_as_everywhere(house: House) -> None:
    for path, status in BAD_QUESTIONS:
        assert (await house.get(path)).status_code == status, path


async def test_a_cursor_of_links_opens_no_list_of_suggestions(house: House) -> None:
    user = a_name()
    for day in range(2):
        who = {"user_id": user, "anonymous_id": a_name()}
        await house.tell(await told(house.keyring, who, "session.signed_in", NOON + days(day)))
    cursor = (await house.read(f"/v1/profiles/user_id:{user}/links?limit=1"))["next_cursor"]

    answer = await house.get(f"/v1/merge-suggestions?cursor={cursor}")

    assert answer.status_code == 400


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

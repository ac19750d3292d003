"""Who may be one person: suggestions to merge."""

from typing import Any, Final

from tests.support.events import NOON, days, happened
from tests.support.identity_work import (
    merge_of,
    person,
    two_names,
    two_users_of_a_mailbox,
    unmerge_of,
    walk,
)
from tests.support.privacy import resolved
from tests.support.profile_house import House
from tests.support.sealed import told

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


async def test_each_person_in_an_answer_is_in_the_audit_trail(house: House) -> None:
    two = await two_users_of_a_mailbox(house)
    people = {(await person(house, user))["subject"] for user in (two.one, two.other)}

    await suggestions(house)
    await house.read(f"/v1/profiles/user_id:{two.other}/links")
    reads = (await house.read("/v1/ops/audit?limit=20", "ops"))["reads"]

    for action in ("suggestions", "links"):
        assert {read["person"] for read in reads if read["action"] == action} == people


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


async def test_bad_questions_are_answered_as_everywhere(house: House) -> None:
    for path, status in BAD_QUESTIONS:
        assert (await house.get(path)).status_code == status, path

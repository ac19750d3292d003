"""What a customer went through, read by an agent."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rapport_profile.contacts import _CONTACTS, load_contact_events
from rapport_profile.history import NOW
from sqlalchemy import text

from tests.support.events import days
from tests.support.privacy import a_name, people_of, resolved
from tests.support.profile_house import House
from tests.support.sealed import told

MINUTE = timedelta(minutes=1)


async def a_parcel_is_late(house: House, ago: float = 2) -> dict[str, str]:
    """Help, bot, chat and phone about one thing; who they are."""
    who = {"user_id": a_name()}
    at = datetime.now(UTC) - days(ago)

    async def said(
        type_: str,
        minutes: int,
        personal: dict[str, Any] | None = None,
        channel: str | None = None,
        **clear: Any,  # noqa: ANN401 - the clear fields of any event
    ) -> None:
        moment = at + minutes * MINUTE
        record = await told(
            house.keyring, who, type_, moment, personal=personal, channel=channel, **clear
        )
        await house.tell(record)

    await said("help.searched", 0, {"query": "where is my parcel"}, "web", session="s", results=0)
    await said("help.viewed", 1, None, "web", session="s", article="track-a-parcel")
    await said("bot.conversed", 4, None, "chat", conversation="b", intent="order_status",
               outcome="handed_over")  # fmt: skip
    await said("ticket.created", 5, {"subject": "My parcel"}, "chat", ticket="T-1",
               topic="delivery", about="service")  # fmt: skip
    await said("call.offered", 60, None, "phone", call="c-1", direction="in")
    await said("call.answered", 61, None, "phone", call="c-1", agent="eve", team="tier1")
    await said("call.leg_ended", 65, None, "phone", call="c-1", agent="eve", ticket="T-1")
    await said("commitment.made", 70, {"what": "A call"}, commitment="p-1", ref="ticket:T-1")
    return who


def path(who: dict[str, str], rest: str = "") -> str:
    return f"/v1/profiles/user_id:{who['user_id']}{rest}"


async def test_an_open_issue_is_on_the_view_with_all_that_was_tried(house: House) -> None:
    who = await a_parcel_is_late(house)

    (issue,) = (await house.read(path(who, "?include=issues")))["issues"]

    tried = [(one["kind"], one["channel"], one["outcome"]) for one in issue["attempts"]]
    assert tried == [
        ("help", "web", "read"), ("bot", "chat", "handed_over"), ("ticket", "chat", "no_answer"),
        ("call", "phone", "answered"),
    ]  # fmt: skip
    known = issue["do_not_ask_again"]
    assert (issue["issue"], known["topic"], known["tickets"]) == ("ticket:T-1", "delivery", ["T-1"])
    assert (known["articles"], known["intents"]) == (["track-a-parcel"], ["order_status"])
    assert known["searches"] == ["where is my parcel"]
    assert known["in_their_words"] == ["My parcel"]
    assert [(one["agent"], one["channel"]) for one in known["spoke_to"]] == [("eve", "phone")]
    assert (known["promised"], known["known_by"]) == (["p-1"], ["user_id"])


async def test_what_the_customer_wrote_is_masked_without_the_scope(house: House) -> None:
    who = await a_parcel_is_late(house)

    masked = await house.read(path(who, "/attempts"), "masked")

    assert masked["issues"][0]["attempts"][2]["words"] is None
    assert masked["issues"][0]["do_not_ask_again"]["searches"] == [None]
    assert masked["meta"]["masked"] == ["issues[].searches", "issues[].words"]


async def test_destroyed_keys_leave_the_attempts_and_take_the_words(house: House) -> None:
    who = await a_parcel_is_late(house)
    person = await resolved(house.keyring, **who)

    await house.keyring.erase(people_of(person), certificate_id=a_name())
    (issue,) = (await house.read(f"/v1/profiles/{person.subject}/attempts"))["issues"]

    assert issue["attempts"][2]["words"] == {"erased": True}
    assert len(issue["attempts"]) == 4


async def test_a_settled_issue_leaves_the_view_and_stays_in_the_list(house: House) -> None:
    who = await a_parcel_is_late(house)
    ended = await told(house.keyring, who, "ticket.resolved", datetime.now(UTC), ticket="T-1")
    token = await house.tell(ended)

    view = await house.read(path(who, "?include=issues"), consistency_token=token)
    every = await house.read(path(who, "/attempts"))

    assert view["issues"] == []
    assert [issue["state"] for issue in every["issues"]] == ["resolved"]
    assert (await house.read(path(who, "/attempts?open=true")))["issues"] == []
    assert len((await house.read(path(who, "/attempts?open=false")))["issues"]) == 1


async def test_the_view_of_a_moment_has_the_issues_of_that_moment(house: House) -> None:
    who = await a_parcel_is_late(house)
    before = datetime.now(UTC)
    await house.tell(
        await told(house.keyring, who, "ticket.resolved", before + MINUTE / 60, ticket="T-1")
    )

    then = before.isoformat().replace("+", "%2B")
    past = await house.read(path(who, f"?include=issues&as_of={then}"))

    assert [issue["state"] for issue in past["issues"]] == ["open"]


async def test_pages_of_issues_miss_none_and_repeat_none(house: House) -> None:
    who = {"user_id": a_name()}
    for number in range(5):
        at = datetime.now(UTC) - days(40 * number)
        record = await told(
            house.keyring, who, "ticket.created", at, ticket=f"T-{number}", topic="delivery"
        )
        await house.tell(record)

    found, link = [], path(who, "/attempts?open=true&limit=2")
    while link:
        answer = await house.get(link)
        found += [issue["issue"] for issue in answer.json()["issues"]]
        link = answer.headers.get("link", "").partition("<")[2].partition(">")[0]

    assert found == [f"ticket:T-{number}" for number in range(5)]


async def test_a_cursor_belongs_to_its_question(house: House) -> None:
    who = {"user_id": a_name()}
    for number in range(3):
        at = datetime.now(UTC) - days(40 * number)
        await house.tell(await told(house.keyring, who, "ticket.created", at, ticket=f"T-{number}"))
    cursor = (await house.read(path(who, "/attempts?limit=1")))["next_cursor"]

    other = await house.get(path(who, f"/attempts?limit=1&open=true&cursor={cursor}"))
    unknown = await house.get(path(who, "/attempts?opened=true"))
    nobody = await house.get("/v1/profiles/user_id:nobody-at-all/attempts")

    assert (other.status_code, other.json()["code"]) == (400, "cursor_malformed")
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/opened")
    assert nobody.status_code == 404


async def test_who_read_the_attempts_is_in_the_audit_trail(house: House) -> None:
    who = await a_parcel_is_late(house)
    shown = await house.read(path(who, "/attempts"), x_purpose="call c-1")

    (read,) = (await house.read(f"/v1/ops/audit?person={shown['subject']}", "ops"))["reads"]

    assert (read["action"], read["fields"], read["purpose"]) == ("attempts", ["issues"], "call c-1")


async def test_what_came_after_the_answers_moment_is_left_out(house: House) -> None:
    who = await a_parcel_is_late(house)
    shown = await house.read(path(who))
    pool = house.app.state.library.pool
    members, place = shown["subjects"], ("rapport.interactions.v1", 0)

    every = await load_contact_events(pool, members, NOW, {place: 2**62})
    newest = max(one.offset for one in every)
    before = await load_contact_events(pool, members, NOW, {place: newest})

    assert len(every) == len(before) + 1
    assert newest not in {one.offset for one in before}


async def test_contacts_are_found_by_their_own_index(house: House) -> None:
    """A customer with a hundred thousand page views has as few contacts as anybody."""
    async with house.resources.engine.begin() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        await connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        await connection.exec_driver_sql(
            f"PREPARE contacts (text[], timestamptz, timestamptz, bigint) AS {_CONTACTS}"
        )
        plan = await connection.execute(
            text("EXPLAIN EXECUTE contacts (ARRAY[]::text[], now(), now(), 10)")
        )
        lines = "\n".join(row[0] for row in plan)

    assert "timeline_contacts" in lines

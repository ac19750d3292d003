"""Notes, tasks and promises as an agent reads them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.events import NOON, days
from tests.support.privacy import a_name
from tests.support.profile_house import House
from tests.support.sealed import told


async def say(
    house: House,
    who: dict[str, str],
    type_: str,
    at: datetime = NOON,
    /,
    **clear: Any,  # noqa: ANN401
) -> str:
    """Tells the house; the token. `words` are the personal fields."""
    words = clear.pop("words", None)
    record = await told(house.keyring, who, type_, at, personal=words, **clear)
    return await house.tell(record)


def path(who: dict[str, str], rest: str) -> str:
    return f"/v1/profiles/user_id:{who['user_id']}{rest}"


async def test_an_edit_that_is_heard_of_first_is_kept_until_its_note_comes(house: House) -> None:
    who = {"user_id": a_name()}
    later = NOON + days(1)
    await say(house, who, "note.edited", later, note="n", agent="ben", words={"body": "new"})
    (early,) = (await house.read(path(who, "/notes")))["notes"]
    await say(house, who, "note.added", NOON, note="n", agent="eve", pinned=True,
              words={"body": "old"})  # fmt: skip
    (whole,) = (await house.read(path(who, "/notes")))["notes"]

    assert (early["body"], early["agent"]) == ("new", "ben")
    assert (whole["body"], whole["agent"], whole["edits"]) == ("new", "eve", 1)
    assert [one["body"] for one in whole["versions"]] == ["old", "new"]


async def test_pinning_a_note_does_not_take_its_words(house: House) -> None:
    who = {"user_id": a_name()}
    await say(house, who, "note.added", note="n", words={"body": "Likes tea", "mentions": ["ben"]})
    await say(house, who, "note.edited", NOON + days(1), note="n", pinned=True)

    (note,) = (await house.read(path(who, "?include=notes")))["notes"]

    assert (note["body"], note["mentions"], note["edits"]) == ("Likes tea", ["ben"], 1)


async def test_a_removed_note_says_who_removed_it_and_not_what_it_said(house: House) -> None:
    who = {"user_id": a_name()}
    await say(house, who, "note.added", note="n", pinned=True, words={"body": "a slander"})
    await say(house, who, "note.edited", NOON + days(1), note="n", words={"body": "a slander!"})
    await say(house, who, "note.removed", NOON + days(2), note="n", agent="ben")

    listed = await house.get(path(who, "/notes"))
    pages = [
        listed,
        await house.get(path(who, "")),
        await house.get(path(who, "/timeline?view=cards")),
    ]

    (note,) = listed.json()["notes"]
    assert note["removed"]["agent"] == "ben"
    assert [one["body"] for one in note["versions"]] == [None, None]
    assert not any("slander" in page.text for page in pages)


@pytest.mark.parametrize("part", ["notes", "tasks", "commitments"])
async def test_pages_of_work_miss_nothing_and_repeat_nothing(house: House, part: str) -> None:
    who = {"user_id": a_name()}
    type_, name = {
        "notes": ("note.added", "note"),
        "tasks": ("task.created", "task"),
        "commitments": ("commitment.made", "commitment"),
    }[part]
    for number in range(5):
        at = NOON + days(number // 2)  # some at one instant
        await say(house, who, type_, at, **{name: f"x-{number}"})

    found, link = [], path(who, f"/{part}?limit=2")
    while link:
        answer = await house.get(link)
        found += [one[name] for one in answer.json()[part]]
        link = answer.headers.get("link", "").partition("<")[2].partition(">")[0]

    assert found == ["x-4", "x-3", "x-2", "x-1", "x-0"]


async def test_promises_are_open_overdue_kept_or_broken(house: House) -> None:
    who, now = {"user_id": a_name()}, datetime.now(UTC)
    yesterday, hour = now - days(1), timedelta(hours=1)
    for name, due in {"open": now + days(1), "overdue": yesterday, "kept": yesterday,
                      "late": yesterday, "broken": yesterday}.items():  # fmt: skip
        await say(house, who, "commitment.made", now - days(2), commitment=name, due=due)
    await say(house, who, "commitment.kept", yesterday - hour, commitment="kept")
    await say(house, who, "commitment.kept", yesterday + hour, commitment="late")
    await say(house, who, "commitment.broken", yesterday - hour, commitment="broken")

    listed = (await house.read(path(who, "/commitments")))["commitments"]
    viewed = (await house.read(path(who, "?include=commitments")))["commitments"]

    assert {one["commitment"]: (one["state"], one["late"]) for one in listed} == {
        "open": ("open", False), "overdue": ("overdue", True), "kept": ("kept", False),
        "late": ("kept", True), "broken": ("broken", False),
    }  # fmt: skip
    assert [one["commitment"] for one in viewed] == ["overdue", "open"]


async def test_a_note_on_the_phone_channel_is_not_the_last_touch(house: House) -> None:
    who = {"user_id": a_name()}
    called = await told(house.keyring, who, "call.offered", call="c", channel="phone")
    noted = await told(house.keyring, who, "note.added", NOON + days(1), note="n", channel="phone")
    await house.tell(called, noted)

    touched = (await house.read(path(who, "?include=last_touch")))["last_touch"]

    assert touched["phone"]["type"] == "call.offered.v1"


async def test_each_list_is_a_read_in_the_audit_trail(house: House) -> None:
    who = {"user_id": a_name()}
    await say(house, who, "note.added", note="n")
    for part in ("notes", "tasks", "commitments"):
        shown = await house.read(path(who, f"/{part}"))

    reads = (await house.read(f"/v1/ops/audit?person={shown['subject']}", "ops"))["reads"]

    assert [read["action"] for read in reads] == ["commitments", "tasks", "notes"]

"""Why subjects are one person, and how to undo it."""

from tests.support.events import NOON, days
from tests.support.identity_work import merge_of, two_users_of_a_mailbox, unmerge_of, walk
from tests.support.privacy import a_name, an_email
from tests.support.profile_house import House
from tests.support.sealed import told


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


async def test_a_cursor_of_links_opens_no_list_of_suggestions(house: House) -> None:
    user = a_name()
    for day in range(2):
        who = {"user_id": user, "anonymous_id": a_name()}
        await house.tell(await told(house.keyring, who, "session.signed_in", NOON + days(day)))
    cursor = (await house.read(f"/v1/profiles/user_id:{user}/links?limit=1"))["next_cursor"]

    answer = await house.get(f"/v1/merge-suggestions?cursor={cursor}")

    assert answer.status_code == 400

"""The rules by which comments are understood belong to the people who read them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.answers import facts, somebody
from tests.support.feedback_house import House

_RULES: dict[str, Any] = {
    "topics": {"colour": {"about": "product", "words": {"en": ["colour", "color"]}}}
}


async def test_a_new_house_has_rules_for_english_and_german(house: House) -> None:
    known = await house.read("/v1/comment-rules")

    assert known["version"] == 0
    assert {"delivery", "price", "quality", "agent", "waiting", "website", "refund"} <= set(
        known["rules"]["topics"]
    )


async def test_rules_are_replaced_by_a_new_version_and_the_same_ones_by_none(house: House) -> None:
    first = await house.put("/v1/comment-rules", _RULES)
    again = await house.put("/v1/comment-rules", _RULES)
    read = await house.read("/v1/comment-rules")

    assert first.status_code == again.status_code == 200
    assert (first.json()["version"], again.json()["version"], read["version"]) == (1, 1, 1)
    assert read["created_by"] == "writer"
    assert read["rules"]["topics"]["colour"]["words"] == {"en": ["colour", "color"]}


async def test_what_is_read_can_be_sent_back(house: House) -> None:
    read = await house.read("/v1/comment-rules")

    sent = await house.put("/v1/comment-rules", read["rules"])

    assert (sent.status_code, sent.json()["version"]) == (200, 0)


async def test_of_two_editors_the_second_is_told_that_the_rules_have_changed(house: House) -> None:
    etag = (await house.get("/v1/comment-rules")).headers["etag"]

    async with asyncio.TaskGroup() as group:
        edits = [
            group.create_task(
                house.put(
                    "/v1/comment-rules",
                    {"topics": {name: {"words": [name]}}},
                    if_match=etag,
                )
            )
            for name in ("one", "two")
        ]

    answers = sorted((edit.result() for edit in edits), key=lambda one: one.status_code)
    assert [one.status_code for one in answers] == [200, 412]
    assert answers[1].json()["code"] == "rules_changed"


async def test_what_is_wrong_with_rules_is_told_at_its_place(house: House) -> None:
    rules = {"topics": {"a": {"words": {"en": ["fine", "de*iver"]}}}, "negation_window": 11}

    answer = await house.put("/v1/comment-rules", rules)

    assert answer.status_code == 422, answer.text
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/topics/a/words/en/1",
        "/negation_window",
    }
    assert (await house.read("/v1/comment-rules"))["version"] == 0


async def test_rules_are_tried_before_they_count(house: House) -> None:
    body = {"text": "A lovely Colour, terrible delivery", "language": "en"}

    now = await house.post("/v1/comment-rules:try", body, "reader")
    then = await house.post("/v1/comment-rules:try", {**body, "rules": _RULES}, "reader")

    assert (now.json()["version"], now.json()["topics"]) == (0, ["delivery"])
    assert (then.json()["topics"], then.json()["about"]) == (["colour"], "product")
    (match,) = then.json()["matches"]
    assert (match["rule"], match["words"], match["counted"]) == ("colour", "Colour", True)
    assert isinstance(now.json()["sentiment"], int)
    assert (await house.read("/v1/comment-rules"))["version"] == 0


async def test_german_has_no_sentiment(house: House) -> None:
    for language in ("de", "en", None):
        body = {"text": "Das war schrecklich", "language": language}
        tried = await house.post("/v1/comment-rules:try", body, "reader")
        assert tried.json()["sentiment"] is None


async def test_only_who_may_write_replaces_rules(house: House) -> None:
    for caller, status in (("reader", 403), ("stranger", 403), (None, 401)):
        assert (await house.put("/v1/comment-rules", _RULES, caller)).status_code == status


async def test_new_rules_read_old_comments_again_and_leave_a_persons_word(house: House) -> None:
    ada = await somebody(house)
    about_colour = await ada.answer(2, "The colour is wrong")
    corrected = await ada.answer(2, "Such a colour")
    about_nothing = await ada.answer(2, "Na ja", language="de")
    await house.post(f"/v1/feedback/{corrected}:classify", {"topics": ["taste"]})
    await house.put("/v1/comment-rules", _RULES)

    done = await reclassified(house)
    again = await reclassified(house)

    assert (done["looked_at"], done["changed"]) == (2, 1)
    assert (again["looked_at"], again["changed"]) == (2, 0)
    assert await topics_of(house) == {
        about_colour: ["colour"],
        corrected: ["taste"],
        about_nothing: None,
    }
    told = [one.data for one in await facts(house, "feedback.classified")]
    since_then = [one for one in told if one.definition != "comments@0"]
    assert [(one.survey, one.by, one.definition) for one in since_then] == [
        (corrected, "person", None),
        (about_colour, "rule", "comments@1"),
    ]


async def test_topics_that_new_rules_do_not_know_are_taken_back(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "My parcel is late")
    await house.put("/v1/comment-rules", _RULES)

    await reclassified(house)

    assert await topics_of(house) == {survey: []}
    told = [one.data.topics for one in await facts(house, "feedback.classified")]
    assert told == [["delivery", "waiting"], []]


async def test_comments_are_read_again_in_pages_and_each_once(house: House) -> None:
    ada = await somebody(house)
    for number in range(7):
        await ada.answer(3, f"colour {number}")
    await house.put("/v1/comment-rules", _RULES)

    looked_at, cursor, calls = 0, None, 0
    since = datetime.now(UTC) - timedelta(days=1)
    while calls == 0 or cursor:
        done = await reclassified(house, since=since, limit=3, cursor=cursor)
        looked_at, cursor, calls = looked_at + done["looked_at"], done["next_cursor"], calls + 1

    assert looked_at == 7
    assert calls == 3
    assert all(topics == ["colour"] for topics in (await topics_of(house)).values())


async def test_answers_from_before_are_not_read_again(house: House) -> None:
    ada = await somebody(house)
    await ada.answer(3, "colour", at=datetime.now(UTC) - timedelta(days=2))
    await house.put("/v1/comment-rules", _RULES)

    done = await reclassified(house, since=datetime.now(UTC) - timedelta(days=1))

    assert done["looked_at"] == 0


async def test_comments_of_erased_people_are_skipped(house: House) -> None:
    ada, bob = await somebody(house), await somebody(house)
    await ada.answer(3, "colour")
    kept = await bob.answer(3, "colour")
    await house.put("/v1/comment-rules", _RULES)
    await house.keyring.erase([ada.subject], certificate_id="c-1")

    done = await reclassified(house)

    assert (done["looked_at"], done["changed"], done["erased"]) == (2, 1, 1)
    assert (await topics_of(house))[kept] == ["colour"]


async def test_a_cursor_of_another_query_is_refused(house: House) -> None:
    body = {"since": "2026-01-01T00:00:00Z", "cursor": "WyIxIiwiMiJd"}

    answer = await house.post("/v1/comment-rules:reclassify", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_malformed")


async def reclassified(house: House, **body: object) -> dict[str, Any]:
    since = body.pop("since", datetime.now(UTC) - timedelta(days=1))
    assert isinstance(since, datetime)
    answer = await house.post("/v1/comment-rules:reclassify", {"since": since.isoformat(), **body})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def topics_of(house: House) -> dict[str, list[str] | None]:
    page = await house.read("/v1/feedback", limit=200)
    return {
        one["survey"]: one["classification"] and one["classification"]["topics"]
        for one in page["feedback"]
    }

"""Reading what customers answered: every filter, page by page, and only what one may see."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from rapport_events.topics import INTERACTIONS
from rapport_feedback.consumer import PROJECTOR
from rapport_runtime.http.consistency import encode_token

from tests.support.answers import somebody
from tests.support.feedback_house import House
from tests.support.loops import act
from tests.support.surveys import in_customers

_NOW = datetime.now(UTC).replace(microsecond=0)


def ago(**span: float) -> datetime:
    return _NOW - timedelta(**span)


async def test_answers_are_found_by_what_they_are(house: House) -> None:
    ada, bob = await somebody(house), await somebody(house)
    late = await ada.answer(
        2, "late parcel", at=ago(days=3), agent="eve", definition="after_case@2", ticket="T-1"
    )
    pricey = await ada.answer(
        9, "teuer", kind="nps", about="relationship", channel="web", language="de", at=ago(days=2)
    )
    plain = await bob.answer(1, about="product", team="tier1", at=ago(days=1))
    solved = await bob.answer(3, kind="ces", at=ago(hours=1), definition="after_call@1")
    await act(house, "close", of=solved, outcome="solved", informed=True)

    found: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [solved, plain, pricey, late]),
        ({"about": "product"}, [plain]),
        ({"about": "relationship"}, [pricey]),
        ({"about": "service"}, [solved, late]),
        ({"kind": "csat"}, [plain, late]),
        ({"definition": "after_case"}, [late]),
        ({"definition": "after_case@2"}, [late]),
        ({"definition": "after_case@1"}, []),
        ({"definition": "after"}, []),
        ({"score_lt": 2}, [plain]),
        ({"score_gt": 2, "score_lt": 9}, [solved]),
        ({"loop": "open"}, [plain, late]),
        ({"loop": "closed"}, [solved]),
        ({"loop": "none"}, [pricey]),
        ({"topic": "price"}, [pricey]),
        ({"topic": "waiting"}, [late]),
        ({"channel": "web"}, [pricey]),
        ({"agent": "eve"}, [late]),
        ({"team": "tier1"}, [plain]),
        ({"from": ago(days=2).isoformat()}, [solved, plain, pricey]),
        ({"to": ago(days=2).isoformat()}, [late]),
        ({"has_comment": "true"}, [pricey, late]),
        ({"has_comment": "false"}, [solved, plain]),
        ({"customer": ada.subject}, [pricey, late]),
        ({"customer": f"user_id:{bob.user_id}"}, [solved, plain]),
        ({"customer": "user_id:nobody"}, []),
        ({"customer": str(uuid4())}, []),
        ({"kind": "csat", "loop": "open", "about": "product"}, [plain]),
    ]
    for query, expected in found:
        page = await house.read("/v1/feedback", **query)
        assert [one["survey"] for one in page["feedback"]] == expected, query


async def test_a_correction_is_read_once_as_it_is_now(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "late", more={"scores": {"speed": 1}, "choices": {"why": ["a"]}})

    await ada.answer(5, "all fine", survey=survey, more={"scores": {"speed": 5}})

    (one,) = (await house.read("/v1/feedback", "desk"))["feedback"]
    assert (one["revision"], one["score"], one["comment"]) == (2, 5, "all fine")
    assert (one["scores"], one["choices"]) == ({"speed": 5}, {})


async def test_all_answers_of_a_person_are_theirs_whatever_they_were_called(house: House) -> None:
    ada, anonymous = await somebody(house), await somebody(house)
    surveys = {await ada.answer(2), await anonymous.answer(3)}
    await house.tell(
        in_customers(
            "customer.merged", ada.subject, linked=anonymous.subject, from_subject=anonymous.subject
        )
    )

    for named in (ada.subject, anonymous.subject):
        page = await house.read("/v1/feedback", customer=named)
        assert {one["survey"] for one in page["feedback"]} == surveys


async def test_words_are_only_for_who_may_see_personal_data(house: House) -> None:
    ada = await somebody(house)
    await ada.answer(2, "I am Ada", more={"texts": {"missing": "my box"}})
    await ada.answer(3)

    masked = await house.read("/v1/feedback")
    seen = await house.read("/v1/feedback", "desk")

    assert [one["comment"] for one in masked["feedback"]] == [None, None]
    assert [one["has_comment"] for one in masked["feedback"]] == [False, True]
    assert masked["meta"]["masked"] == ["feedback[].comment", "feedback[].texts"]
    assert [one["comment"] for one in seen["feedback"]] == [None, "I am Ada"]
    assert seen["feedback"][1]["texts"] == {"missing": "my box"}
    assert seen["meta"]["masked"] == []
    assert (await house.get("/v1/feedback", "stranger")).status_code == 403
    assert (await house.get("/v1/feedback", None)).status_code == 401


async def test_the_words_of_an_erased_customer_are_gone_and_the_rest_stays(house: House) -> None:
    ada = await somebody(house)
    await ada.answer(2, "I am Ada", team="tier1")

    await house.keyring.erase([ada.subject], certificate_id="c-1")

    page = await house.read("/v1/feedback", "desk")
    (one,) = page["feedback"]
    assert (one["comment"], one["texts"]) == ({"erased": True}, {"erased": True})
    assert (one["score"], one["team"]) == (2, "tier1")
    assert page["meta"]["erased"] == ["feedback[].comment", "feedback[].texts"]


async def test_words_that_somebody_moved_to_another_answer_are_not_shown(house: House) -> None:
    ada = await somebody(house)
    await ada.answer(2, "one", at=ago(hours=2))
    await ada.answer(3, "two", at=ago(hours=1))
    async with house.resources.engine.begin() as tx:
        await tx.exec_driver_sql(
            "UPDATE answer SET sealed = (SELECT sealed FROM answer WHERE score = 2) WHERE score = 3"
        )

    two, one = (await house.read("/v1/feedback", "desk"))["feedback"]

    assert (two["comment"], one["comment"]) == ({"unreadable": True}, "one")


async def test_paging_shows_everything_once_while_customers_go_on_answering(house: House) -> None:
    ada = await somebody(house)
    same_moment = ago(days=1)
    there = [await ada.answer(4, at=same_moment) for _ in range(7)]
    there += [await ada.answer(4, at=ago(days=2 + n)) for n in range(6)]

    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3, "kind": "csat"}
    while True:
        answer = await house.get("/v1/feedback", **query)
        page = answer.json()
        seen += [one["survey"] for one in page["feedback"]]
        await ada.answer(5)
        if page["next_cursor"] is None:
            assert "link" not in answer.headers
            break
        link = answer.headers["link"]
        assert link.startswith("</v1/feedback?")
        assert "kind=csat" in link
        query["cursor"] = page["next_cursor"]

    assert sorted(seen) == sorted(there)
    assert len(seen) == len(set(seen))


async def test_a_cursor_is_good_for_its_own_query_only(house: House) -> None:
    ada = await somebody(house)
    for _ in range(3):
        await ada.answer(2)
    cursor = (await house.read("/v1/feedback", limit=1))["next_cursor"]

    other = await house.get("/v1/feedback", limit=1, kind="csat", cursor=cursor)
    broken = await house.get("/v1/feedback", limit=1, cursor=cursor[:-4])
    loops = await house.get("/v1/loops", cursor=cursor)
    wider = await house.get("/v1/feedback", limit=2, cursor=cursor)

    assert {other.status_code, broken.status_code, loops.status_code} == {400}
    assert other.json()["code"] == "cursor_malformed"
    assert (wider.status_code, len(wider.json()["feedback"])) == (200, 2)


async def test_an_answer_to_a_token_includes_its_events_or_says_how_far_it_is(
    house: House,
) -> None:
    place = (INTERACTIONS.name, 0)
    headers = {**house.auth("reader"), "consistency-token": encode_token({place: 41})}

    for reached, wait, status in ((41, 0, 425), (42, 5, 200)):
        await reach(house, reached)
        asked = {**headers, "prefer": f"wait={wait}"}
        answer = await house.client.get("/v1/feedback", headers=asked)
        assert answer.status_code == status, answer.text
    bad = await house.client.get(
        "/v1/loops", headers={**house.auth("reader"), "consistency-token": "x"}
    )
    assert bad.status_code == 400


async def reach(house: House, offset: int) -> None:
    async with house.resources.engine.begin() as tx:
        await tx.exec_driver_sql(
            "INSERT INTO projector_offset (projector, topic, partition, next_offset,"
            " high_watermark) VALUES ($1, $2, 0, $3, $3) ON CONFLICT (projector, topic, partition)"
            " DO UPDATE SET next_offset = $3",
            (PROJECTOR, INTERACTIONS.name, offset),
        )


async def test_comments_are_not_searched_and_the_answer_says_why(house: House) -> None:
    answer = await house.get("/v1/feedback", q="angry")

    assert (answer.status_code, answer.json()["code"]) == (422, "comments_not_searchable")
    assert "sealed" in answer.json()["detail"]
    assert "angry" not in answer.text


async def test_filters_that_make_no_sense_are_refused(house: House) -> None:
    for query in (
        {"about": "weather"},
        {"kind": "stars"},
        {"score_lt": "low"},
        {"loop": "maybe"},
        {"channel": "pigeon"},
        {"from": "yesterday"},
        {"from": "2026-03-01T00:00:00"},
        {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"customer": "Ada"},
        {"limit": "0"},
        {"limit": "201"},
        {"team": "x" * 257},
        {"cursour": "x"},
    ):
        answer = await house.get("/v1/feedback", **query)
        assert answer.status_code == 422, (query, answer.text)
        assert answer.json()["errors"], query


async def test_a_filter_is_a_value_and_never_a_statement(house: House) -> None:
    ada = await somebody(house)
    await ada.answer(2, agent="o'brien'; DROP TABLE answer; --")

    for text in ("o'brien'; DROP TABLE answer; --", "' OR 'a'='a", "{0}", "$1", "%"):
        page = await house.read("/v1/feedback", agent=text, topic=text, team=text)
        assert page["feedback"] == []
    found = await house.read("/v1/feedback", agent="o'brien'; DROP TABLE answer; --")
    assert len(found["feedback"]) == 1

"""What the services of this house tell of a customer is theirs as well, on whatever topic."""

from typing import Any

import msgspec
import orjson
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS, Topic
from rapport_profile.privacy.export import export_lines

from tests.support.events import NOON, days, happened, new_subject
from tests.support.privacy import a_name
from tests.support.profile_house import House, token_of
from tests.support.sealed import told

SURVEY: dict[str, Any] = {"survey": "v-1", "kind": "nps", "about": "relationship"}


def on(topic: Topic, record: Record) -> Record:
    return msgspec.structs.replace(record, topic=topic.name)


def path(who: dict[str, str], rest: str = "") -> str:
    return f"/v1/profiles/user_id:{who['user_id']}{rest}"


async def an_answer(house: House, who: dict[str, str], score: int, at: float = 1) -> Record:
    record = await told(
        house.keyring, who, "survey.responded", NOON + days(at), personal={"comment": "Too slow"},
        channel="web", source="/rapport/feedback", score=score, **SURVEY,
    )  # fmt: skip
    return on(FEEDBACK, record)


async def a_dialogue(house: House) -> tuple[dict[str, str], list[Record]]:
    """Somebody who ordered, was asked, answered badly, and is followed up."""
    who = {"user_id": a_name()}
    ordered = await told(house.keyring, who, "order.placed", order="O-1", channel="web")
    sent = await told(
        house.keyring, who, "survey.sent", NOON + days(0.5), channel="email",
        source="/rapport/feedback", **SURVEY,
    )  # fmt: skip
    asked = await told(
        house.keyring, who, "action.requested", NOON + days(0.5), channel="email",
        personal={"variables": {"link": "https://x.test/s/secret"}}, action="survey:v-1",
        survey="v-1", template="survey_invitation", source="/rapport/feedback",
    )  # fmt: skip
    answer = await an_answer(house, who, 3)
    task = await told(
        house.keyring, who, "task.created", NOON + days(1), personal={"title": "Ring them"},
        task="k-1", assignee="care", ref="survey:v-1", source="/rapport/feedback",
    )  # fmt: skip
    loop = await told(
        house.keyring, who, "loop.opened", NOON + days(1), loop="l-1", survey="v-1", task="k-1",
        owner="care", score=3, source="/rapport/feedback",
    )  # fmt: skip
    ours = [on(FEEDBACK, one) for one in (sent, asked, task, loop)]
    await house.tell(ordered, *ours, answer)
    return who, [ordered, *ours, answer]


async def test_an_answer_of_our_own_page_is_on_the_view_like_any_other(house: House) -> None:
    who, _ = await a_dialogue(house)

    shown = await house.read(path(who))

    (answer,) = shown["satisfaction"]
    assert (answer["kind"], answer["score"], answer["comment"]) == ("nps", 3, "Too slow")
    (task,) = shown["tasks"]
    assert (task["title"], task["assignee"], task["ref"]) == ("Ring them", "care", "survey:v-1")
    assert shown["last_touch"].keys() == {"web"}
    assert shown["last_touch"]["web"]["type"] == "survey.responded.v1"


async def test_the_timeline_tells_what_we_said_and_where_it_stands(house: House) -> None:
    who, records = await a_dialogue(house)

    raw = (await house.read(path(who, "/timeline?limit=50")))["events"]
    cards = (await house.read(path(who, "/timeline?view=cards&limit=50")))["cards"]

    places = {one["type"]: one["position"]["topic"] for one in raw}
    assert places["order.placed.v1"] == INTERACTIONS.name
    assert places["survey.sent.v1"] == places["loop.opened.v1"] == FEEDBACK.name
    assert len(raw) == len(records)
    titles = [card["title"] for card in cards]
    assert "Answered the nps survey: 3 about relationship" in titles
    assert "Asked for feedback: nps about relationship" in titles
    assert [c["refs"]["loop"] for c in cards if c["type"] == "loop.opened.v1"] == ["l-1"]


async def test_decisions_that_led_nowhere_are_one_card(house: House) -> None:
    who = {"user_id": a_name()}
    said: list[tuple[str, dict[str, Any]]] = [
        ("decision.made", {"decision": "d-1", "trigger": "win_back"}),
        ("survey.not_invited", {"reason": "throttled"}),
        ("decision.made", {"decision": "d-2", "trigger": "birthday"}),
    ]
    noise = [
        await told(house.keyring, who, type_, NOON + days(n), **fields)
        for n, (type_, fields) in enumerate(said)
    ]
    await house.tell(*(on(ENGAGEMENT, one) for one in noise))

    (card,) = (await house.read(path(who, "/timeline?view=cards")))["cards"]

    assert card["title"] == "2 decisions, 1 time not asked for feedback"
    assert card["samples"] == ["birthday", "throttled", "win_back"]


async def test_personal_words_of_ours_are_masked_like_others(house: House) -> None:
    who, _ = await a_dialogue(house)

    view = await house.get(path(who), "masked")
    timeline = await house.get(path(who, "/timeline?limit=50"), "masked")

    assert "secret" not in timeline.text
    assert not any(word in page.text for page in (view, timeline) for word in ("slow", "Ring"))
    assert "events[].data.variables" in timeline.json()["meta"]["masked"]


async def test_the_past_has_no_answer_that_came_later(house: House) -> None:
    who, _ = await a_dialogue(house)
    moment = (NOON + days(0.9)).isoformat().replace("+00:00", "Z")

    before = await house.read(path(who, f"?as_of={moment}"))
    known = await house.read(path(who, f"?known_at={moment}"))
    change = await house.read(path(who, f"/diff?from={moment}"))

    assert before["satisfaction"] == known["satisfaction"] == []
    assert before["events"] == {
        "order.placed.v1": 1, "survey.sent.v1": 1, "action.requested.v1": 1,
    }  # fmt: skip
    assert before["last_seen"] == shown_time(NOON)
    assert change["changes"]["satisfaction"].keys() == {"nps/relationship"}
    assert change["changes"]["tasks"].keys() == {"k-1"}


async def test_the_past_folded_again_is_the_state_that_was_carried_on(house: House) -> None:
    who, _ = await a_dialogue(house)
    moment = (NOON + days(30)).isoformat().replace("+00:00", "Z")

    now, then = await house.read(path(who)), await house.read(path(who, f"?as_of={moment}"))

    for shown in (now, then):
        del shown["meta"], shown["lifecycle"]
    assert now == then


async def test_wishes_of_the_preference_centre_are_the_newest_word(house: House) -> None:
    who = {"user_id": a_name()}
    granted = await told(house.keyring, who, "consent.granted", NOON,
                         channel="email", purpose="marketing")  # fmt: skip
    withdrawn = await told(house.keyring, who, "consent.withdrawn", NOON + days(1),
                           channel="email", purpose="marketing")  # fmt: skip
    wished = await told(house.keyring, who, "preference.changed", NOON + days(1),
                        quiet_hours="21:00-08:00", language="de")  # fmt: skip
    scored = await told(house.keyring, who, "score.updated", NOON + days(1),
                        score="churn_risk", value=0.25)  # fmt: skip
    await house.tell(granted, *(on(ENGAGEMENT, one) for one in (withdrawn, wished, scored)))

    shown = await house.read(path(who))
    listed = await house.read("/v1/profiles?consent=email/marketing&limit=200", "agent")

    assert [(one["purpose"], one["granted"]) for one in shown["consents"]] == [("marketing", False)]
    assert shown["preferences"]["quiet_hours"]["value"] == "21:00-08:00"
    assert shown["scores"]["churn_risk"]["value"] == "0.25"
    assert shown["subject"] not in {one["subject"] for one in listed["profiles"]}


async def test_a_token_that_names_two_topics_waits_for_both(house: House) -> None:
    who = {"user_id": a_name()}
    ordered = await told(house.keyring, who, "order.placed", order="O-1")
    answer = await an_answer(house, who, 9)
    await house.tell(ordered)
    token = token_of(ordered, answer)

    early = await house.get(path(who), consistency_token=token, prefer="wait=0")
    await house.tell(answer)
    late = await house.get(path(who), consistency_token=token)

    assert (early.status_code, late.status_code) == (425, 200)
    assert late.json()["satisfaction"][0]["score"] == 9


async def test_an_erased_person_has_nothing_of_it_left_and_nothing_returns(house: House) -> None:
    who, records = await a_dialogue(house)
    subject = records[0].envelope.subject
    gone = happened("customer.erased", subject, NOON + days(2), certificate_id="c-1")
    late = await an_answer(house, who, 10, at=3)
    await house.tell(on(CUSTOMERS, gone))
    await house.tell(late)

    answer = await house.get(f"/v1/profiles/{subject}")
    async with house.resources.engine.connect() as connection:
        left = await connection.exec_driver_sql(
            f"SELECT count(*) FROM timeline WHERE subject_id = '{subject}'"  # noqa: S608 - ours
        )

    assert answer.status_code == 410
    assert left.scalar() == 0


async def test_an_export_has_the_answers_in_their_own_words(house: House) -> None:
    _, records = await a_dialogue(house)
    subject = str(records[0].envelope.subject)

    lines = [
        orjson.loads(line)
        async for part in export_lines(house.app.state.library.pool, house.keyring, [subject])
        for line in part.splitlines()
    ]

    (answer,) = [line for line in lines if line.get("type") == "survey.responded.v1"]
    assert (answer["derived"], answer["data"]["comment"]) == (True, "Too slow")
    assert lines[-1] == {"end": True, "events": 1, "conclusions": 5}


async def test_whom_we_speak_of_first_is_a_customer_and_joined_to_nobody(house: House) -> None:
    subject = new_subject()
    invited = happened("survey.not_invited", subject, fields={"reason": "no_channel"})
    await house.tell(on(FEEDBACK, invited))

    shown: dict[str, Any] = await house.read(f"/v1/profiles/{subject}")

    assert (shown["subjects"], shown["last_seen"], shown["last_touch"]) == ([subject], None, {})
    assert shown["events"] == {"survey.not_invited.v1": 1}


def shown_time(instant: Any) -> str:  # noqa: ANN401 - a datetime
    return str(instant.isoformat(timespec="milliseconds")).replace("+00:00", "Z")

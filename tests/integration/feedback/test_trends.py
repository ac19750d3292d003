"""How answers develop, and who answers at all."""

from datetime import datetime, timedelta
from typing import Any

from tests.support.answers import somebody
from tests.support.events import NOON
from tests.support.feedback_house import House
from tests.support.surveys import after_case

_QUESTIONS = [
    {"id": "score", "type": "score", "text": {"en": "How likely?"}},
    {"id": "speed", "type": "score", "scale": [1, 3], "text": {"en": "How fast?"}},
    {
        "id": "why",
        "type": "choice",
        "multiple": True,
        "text": {"en": "Why?"},
        "options": [{"id": "price", "text": {"en": "Price"}}, {"id": "care", "text": {"en": "C"}}],
    },
    {"id": "comment", "type": "text", "text": {"en": "What else?"}},
    {"id": "missing", "type": "text", "text": {"en": "What is missing?"}},
]
_SPAN = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-15T00:00:00Z"}


async def test_each_question_of_a_survey_has_its_distribution_over_time(house: House) -> None:
    await define(house, kind="nps", questions=_QUESTIONS)
    first_week = NOON
    second_week = NOON + timedelta(days=7)
    for score, at, more, comment in (
        (10, first_week, {"scores": {"speed": 3}, "choices": {"why": ["price", "care"]}}, "yes"),
        (9, first_week, {"scores": {"speed": 1}}, None),
        (3, second_week, {"choices": {"why": ["price"]}, "texts": {"missing": "x"}}, None),
        (8, NOON - timedelta(days=30), {}, None),
    ):
        ada = await somebody(house)
        await ada.answer(
            score, comment, at=at, kind="nps", definition="after_case@1", more=dict(more)
        )
    await (await somebody(house)).answer(0, kind="nps", definition="other@1", at=NOON)

    trends = await house.read("/v1/surveys/after_case/trends", grain="week", **_SPAN)

    questions = {one["question"]: one for one in trends["questions"]}
    assert list(questions) == ["score", "speed", "why", "comment", "missing"]
    score = questions["score"]["windows"]
    assert questions["score"]["is_score"]
    assert [one["start"][:10] for one in score] == ["2026-02-23", "2026-03-02", "2026-03-09"]
    assert [one["n"] for one in score] == [2, 1, 0]
    assert score[0]["distribution"] == {"9": 1, "10": 1}
    assert (score[0]["mean"], score[0]["nps"]) == ({"num": 19, "den": 2}, {"num": 2, "den": 2})
    assert (score[1]["nps"], score[2]["nps"]) == ({"num": -1, "den": 1}, {"num": 0, "den": 0})
    speed = questions["speed"]["windows"][0]
    assert (speed["n"], speed["mean"], speed["nps"]) == (2, {"num": 4, "den": 2}, None)
    why = questions["why"]["windows"]
    assert (why[0]["n"], why[0]["distribution"]) == (1, {"care": 1, "price": 1})
    assert (why[1]["n"], why[1]["distribution"]) == (1, {"price": 1})
    assert [one["n"] for one in questions["comment"]["windows"]] == [1, 0, 0]
    assert [one["n"] for one in questions["missing"]["windows"]] == [None, None, None]


async def test_a_corrected_answer_counts_once_where_it_was_corrected(house: House) -> None:
    await define(house)
    ada = await somebody(house)
    survey = await ada.answer(1, at=NOON, definition="after_case@1")

    await ada.answer(5, at=NOON + timedelta(days=2), survey=survey, definition="after_case@1")

    trends = await house.read("/v1/surveys/after_case/trends", grain="day", **_SPAN)
    windows = [one for one in trends["questions"][0]["windows"] if one["n"]]
    assert [(one["start"][:10], one["top_box"]) for one in windows] == [
        ("2026-03-03", {"num": 1, "den": 1})
    ]


async def test_all_versions_of_a_survey_are_one_trend(house: House) -> None:
    await define(house)
    live = await house.post("/v1/surveys/after_case/versions/1:go-live")
    assert live.status_code == 200, live.text
    await define(house, title={"en": "Another title"})
    for version in (1, 2):
        await (await somebody(house)).answer(4, at=NOON, definition=f"after_case@{version}")

    trends = await house.read("/v1/surveys/after_case/trends", grain="month", **_SPAN)

    (score,) = trends["questions"]
    assert [one["n"] for one in score["windows"]] == [2]


async def test_rates_say_who_was_asked_by_which_channel_and_who_was_not_and_why(
    house: House,
) -> None:
    await define(house)
    asked = [
        *await invited(house, "email", answered=2, silent=3),
        *await invited(house, "sms", answered=1, silent=0),
    ]
    await not_invited(house, throttled=2, open_case=1)
    await invite(house, "w", "waiting", None, None)
    stranger = await (await somebody(house)).answer(4, at=NOON, definition="after_case@1")

    rates = await house.read("/v1/surveys/after_case/rates", **_SPAN)

    assert stranger not in asked
    assert rates["eligible"] == 10
    assert (rates["invited"], rates["answered"], rates["waiting"]) == (6, 3, 1)
    assert rates["not_invited"] == {"open_case": 1, "throttled": 2}
    assert rates["channels"] == [
        {"channel": "email", "invited": 5, "answered": 2},
        {"channel": "sms", "invited": 1, "answered": 1},
    ]
    assert rates["uninvited_answers"] == 1
    assert (rates["from"], rates["to"]) == ("2026-03-01T00:00:00.000Z", "2026-03-15T00:00:00.000Z")


async def test_what_cannot_be_answered_is_refused(house: House) -> None:
    await define(house)
    for path, query, status in (
        ("nobody/trends", {}, 404),
        ("nobody/rates", {}, 404),
        ("after_case/trends", {"grain": "hour"}, 422),
        ("after_case/trends", {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, 422),
        ("after_case/trends", {"from": "2001-01-01T00:00:00Z", "grain": "day"}, 422),
        ("after_case/trends", {"from": "0001-01-01T00:00:00Z"}, 422),
        ("after_case/rates", {"to": "9999-12-31T23:59:59Z"}, 422),
        ("after_case/rates", {"grain": "day"}, 422),
    ):
        answer = await house.get(f"/v1/surveys/{path}", **query)
        assert answer.status_code == status, (path, query, answer.text)
    assert (await house.get("/v1/surveys/after_case/rates", "stranger")).status_code == 403


async def define(house: House, **changes: Any) -> None:  # noqa: ANN401 - any part of a definition
    created = await house.post("/v1/surveys", after_case(**changes))
    assert created.status_code in {200, 201}, created.text


async def invited(house: House, channel: str, *, answered: int, silent: int) -> list[str]:
    surveys = [f"{channel}-{number}" for number in range(answered + silent)]
    for number, survey in enumerate(surveys):
        await invite(house, survey, "sent", channel, None)
        if number < answered:
            ada = await somebody(house)
            await ada.answer(4, survey=survey, at=NOON, definition="after_case@1")
    return surveys


async def not_invited(house: House, **reasons: int) -> None:
    for reason, number in reasons.items():
        for one in range(number):
            await invite(house, f"{reason}-{one}", "not_invited", None, reason)


async def invite(
    house: House, survey: str, state: str, channel: str | None, reason: str | None
) -> None:
    """As the asker leaves it; that it does is its own tests' business."""
    decided: datetime | None = None if state == "waiting" else NOON
    async with house.resources.engine.begin() as tx:
        await tx.exec_driver_sql(
            "INSERT INTO invitation (survey, definition, version, kind, anchor, subject_id, cause,"
            " happened_at, due_at, send_at, state, reason, channel, refs, decided_at) VALUES"
            " ($1, 'after_case', 1, 'csat', 'ticket:T', gen_random_uuid(), '', $2, $2, $2, $3, $4,"
            " $5, '{}', $6)",
            (survey, NOON, state, reason, channel, decided),
        )

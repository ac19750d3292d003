"""Answers that somebody else enters for a customer, and what is told of them."""

from typing import Any
from uuid import uuid4

from rapport_events.codec import decode_data
from rapport_events.envelope import Envelope
from rapport_events.wire import SurveyResponded

from tests.support.feedback_house import (
    House,
)

PATH = "/v1/responses"


def answer_of(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Of somebody whom nobody invited."""
    return {
        "definition": "after_case",
        "customer": {"user_id": f"u-{uuid4()}"},
        "channel": "chat",
        "score": 9,
        **changes,
    }


async def told(house: House, survey: str) -> list[tuple[Envelope, SurveyResponded]]:
    found = [(fact, decode_data(fact)) for fact in await house.facts()]
    return [
        (fact, data)
        for fact, data in found
        if isinstance(data, SurveyResponded) and data.survey == survey
    ]


async def given(house: House, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    done = await house.post(PATH, answer_of(**changes), "desk", idempotency_key=str(uuid4()))
    assert done.status_code == 201, done.text
    document: dict[str, Any] = done.json()
    return document

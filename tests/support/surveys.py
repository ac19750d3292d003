"""Surveys to test with, and what happens to customers that makes them eligible."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import msgspec
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS, FEEDBACK

from tests.support.events import NOON, happened, record_of
from tests.support.feedback_house import House

LIVE = NOON - timedelta(days=400)
"""Since when these surveys ask."""

_SCORE = {"id": "score", "type": "score", "text": {"en": "How did we do?"}}


def after_case(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Asks by e-mail or text message whoever had a ticket resolved, two hours later."""
    return {
        "id": "after_case",
        "kind": "csat",
        "about": "service",
        "title": {"en": "Your case", "de": "Ihr Fall"},
        "questions": [_SCORE],
        "channels": ["email", "sms"],
        "rules": [{"id": "after_case", "on": "ticket.resolved", "delay_hours": 2}],
        **changes,
    }


async def drafted(house: House, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    answer = await house.post("/v1/surveys", after_case(**changes))
    assert answer.status_code in (httpx2.codes.OK, httpx2.codes.CREATED), answer.text
    document: dict[str, Any] = answer.json()
    return document


def resolved_ticket(subject: str, at: datetime = NOON, ticket: str = "", **more: Any) -> Record:  # noqa: ANN401 - any field
    more = {"linked": str(uuid4()), "identifiedby": "user_id,email", **more}
    name = ticket or f"T-{uuid4()}"
    return happened("ticket.resolved", subject, at, ticket=name, **more)


def in_customers(type_: str, subject: str, **data: Any) -> Record:  # noqa: ANN401 - any field
    """What the profile service concludes."""
    return msgspec.structs.replace(happened(type_, subject, **data), topic=CUSTOMERS.name)


def in_feedback(value: bytes) -> Record:
    """What this service told, as it reads it back."""
    return msgspec.structs.replace(record_of(value), topic=FEEDBACK.name)

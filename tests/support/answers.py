"""Answers of customers to a feedback service, and what it tells of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rapport_events.codec import decode, decode_data
from rapport_events.envelope import Envelope, Record
from rapport_feedback.answering import Recorded, key_of, record
from rapport_feedback.domain.answer import NewAnswer, Survey
from rapport_feedback.domain.given import Answers

from tests.support.feedback_house import House
from tests.support.privacy import a_name, resolved
from tests.support.surveys import in_feedback


def an_answer(subject: str, survey: str | None = None, **answers: Any) -> NewAnswer:  # noqa: ANN401 - any answer
    """To a survey that asked after a case."""
    asked = Survey(
        id=survey or str(uuid4()),
        kind="nps",
        definition="after_case@1",
        subject=subject,
        ticket="T-1",
    )
    return NewAnswer(survey=asked, answers=Answers(**answers), answered_at=datetime.now(UTC))


@dataclass
class Respondent:
    """A customer of the house who answers surveys."""

    house: House
    subject: str
    user_id: str
    revisions: dict[str, int] = field(default_factory=dict)

    async def answer(
        self,
        score: int | None = 2,
        comment: str | None = None,
        *,
        survey: str | None = None,
        at: datetime | None = None,
        language: str | None = "en",
        more: dict[str, Any] | None = None,
        **asked: Any,  # noqa: ANN401 - what the survey was about
    ) -> str:
        """Answers, or corrects the answer to `survey`; the id of the survey."""
        name = survey or str(uuid4())
        revision = self.revisions[name] = self.revisions.get(name, 0) + 1
        asked = {"kind": "csat", "about": "service", "channel": "email", **asked}
        new = NewAnswer(
            survey=Survey(id=name, subject=self.subject, **asked),
            answers=Answers(score=score, comment=comment, **(more or {})),
            answered_at=at or datetime.now(UTC),
            language=language,
        )
        key = await key_of(self.house.keyring, self.subject)
        async with self.house.resources.engine.begin() as tx:
            outcome = await record(tx, key, new, self.house.settings, revision)
        assert isinstance(outcome, Recorded), outcome
        return name


async def somebody(house: House) -> Respondent:
    name = a_name()
    person = await resolved(house.keyring, user_id=name)
    assert person.subject is not None
    return Respondent(house, person.subject, name)


@dataclass
class Fact:
    """What the service told."""

    envelope: Envelope
    data: Any
    record: Record


async def facts(house: House, *types: str) -> list[Fact]:
    """What waits in the outbox, the oldest first. `types`: without their version."""
    rows = await house.rows("SELECT value FROM outbox ORDER BY id")
    found = []
    for row in rows:
        told = decode(row["value"])
        if not types or told.type.rpartition(".")[0] in types:
            found.append(Fact(told, decode_data(told), in_feedback(row["value"])))
    return found

"""People with a link to a survey, and what they send from its page."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import asyncpg
import httpx2
import orjson
from rapport_events.codec import decode_data
from rapport_events.envelope import Envelope
from rapport_events.wire import SurveyResponded
from rapport_feedback.sealing import Sealed, open_all
from rapport_feedback.tokens import make_link

from tests.support.events import happened
from tests.support.feedback_house import House
from tests.support.surveys import after_case, resolved_ticket

FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


def questionnaire(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Every kind of question, in two languages."""
    return after_case(
        **{
            "kind": "nps",
            "title": {"en": "Your case with us", "de": "Ihr Anliegen bei uns"},
            "thanks": {"en": "Many thanks from all of us.", "de": "Herzlichen Dank von uns allen."},
            "questions": [
                {
                    "id": "recommend",
                    "type": "score",
                    "text": {"en": "Would you recommend us?", "de": "Würden Sie uns empfehlen?"},
                    "low": {"en": "Not at all", "de": "Auf keinen Fall"},
                    "high": {"en": "Certainly", "de": "Auf jeden Fall"},
                    "required": True,
                },
                {
                    "id": "speed",
                    "type": "score",
                    "scale": [1, 5],
                    "text": {"en": "How fast were we?", "de": "Wie schnell waren wir?"},
                },
                {
                    "id": "reason",
                    "type": "choice",
                    "text": {"en": "What mattered most?", "de": "Was war am wichtigsten?"},
                    "options": [
                        {"id": "price", "text": {"en": "The price", "de": "Der Preis"}},
                        {"id": "people", "text": {"en": "The people", "de": "Die Menschen"}},
                    ],
                },
                {
                    "id": "liked",
                    "type": "choice",
                    "multiple": True,
                    "text": {"en": "What did you like?", "de": "Was hat Ihnen gefallen?"},
                    "options": [
                        {"id": "app", "text": {"en": "The app", "de": "Die App"}},
                        {"id": "shop", "text": {"en": "The shop", "de": "Der Laden"}},
                    ],
                },
                {
                    "id": "comment",
                    "type": "text",
                    "max": 2_000,
                    "text": {"en": "Anything else?", "de": "Noch etwas?"},
                },
            ],
            **changes,
        }
    )


@dataclass(frozen=True)
class Invited:
    """Somebody who was asked."""

    house: House
    survey: str
    subject: str
    path: str

    async def open(self, query: str = "", **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.house.client.get(self.path + query, headers=named)

    async def send(self, query: str = "", **answers: object) -> httpx2.Response:
        """As a browser sends the form."""
        fields = [
            (f"q-{name}", str(value))
            for name, given in answers.items()
            for value in (given if isinstance(given, list) else [given])
        ]
        return await self.send_body(urlencode(fields).encode(), query)

    async def send_body(self, body: bytes, query: str = "", **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.house.client.post(
            self.path + query, content=body, headers={**FORM, **named}
        )

    async def told(self) -> list[tuple[Envelope, SurveyResponded]]:
        """The answers that others will hear of."""
        found = [(fact, decode_data(fact)) for fact in await self.house.facts()]
        return [
            (fact, data)
            for fact, data in found
            if isinstance(data, SurveyResponded) and data.survey == self.survey
        ]

    async def rows(self, table: str) -> list[asyncpg.Record]:
        """What a table says of this survey."""
        return await self.house.rows(f"SELECT * FROM {table} WHERE survey = '{self.survey}'")  # noqa: S608 - ours

    async def change(self, assignment: str) -> None:
        """Makes the invitation another one, behind the service's back."""
        await self.house.rows(
            f"UPDATE invitation SET {assignment} WHERE survey = '{self.survey}'"  # noqa: S608 - ours
        )

    async def words(self) -> dict[str, Any]:
        """What they wrote, as the log has it."""
        ((fact, _),) = await self.told()
        blob = orjson.loads(bytes(fact.data))["pii"]
        (opened,) = await open_all(
            self.house.keyring, [Sealed(blob, self.subject, fact.id, fact.type)]
        )
        assert isinstance(opened, dict)
        return opened


async def invite(house: House, **definition: Any) -> Invited:  # noqa: ANN401 - any JSON
    """Somebody whose case was resolved, and who was asked about it an hour ago."""
    now = datetime.now(UTC)
    await house.live(now - timedelta(days=1), **(definition or questionnaire()))
    return await invite_one_more(house)


async def invite_one_more(house: House) -> Invited:
    now = datetime.now(UTC)
    subject = await house.subject(user_id=f"u-{uuid4()}")
    await house.tell(
        # Tests run at night as well.
        happened("preference.changed", subject, quiet_hours="00:00-00:00"),
        resolved_ticket(subject, now - timedelta(hours=3), agent="eve"),
    )
    await house.ask(now)
    (row,) = await house.rows(
        f"SELECT survey, expires_at FROM invitation WHERE subject_id = '{subject}'"  # noqa: S608 - ours
    )
    link = make_link(house.settings, house.keyring, row["survey"], row["expires_at"])
    return Invited(house, row["survey"], subject, urlsplit(link).path)


def heading(page: httpx2.Response) -> str:
    found = re.search(r"<h1[^>]*>([^<]*)</h1>", page.text)
    assert found, page.text
    return found[1]

"""Who has said no to being asked since it was decided to ask them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rapport_runtime.database import driver
from rapport_runtime.people import Persons, read_persons
from rapport_runtime.sender import Requested
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_feedback.domain.asking import Consent, Policy, agrees
from rapport_feedback.domain.respondent import Respondent, join, unpack

_RESPONDENTS: Final = """
SELECT subject_id::text, state FROM respondent WHERE subject_id = ANY($1::text[]::uuid[])
"""

_CONSENTS: Final = """
SELECT survey, document->>'consent' FROM invitation
JOIN survey_definition ON (id, survey_definition.version) = (definition, invitation.version)
WHERE survey = ANY($1::text[])
"""


async def refused(engine: AsyncEngine, policy: Policy, requests: Sequence[Requested]) -> set[str]:
    """The actions that must not be carried out, by what has arrived until now."""
    asked = [one for one in requests if one.envelope.subject is not None]
    async with engine.connect() as connection:
        reads = await driver(connection)
        persons = await read_persons(reads, {str(one.envelope.subject) for one in asked})
        states = dict(await reads.fetch(_RESPONDENTS, list(persons.subjects)))
        wanted = dict(await reads.fetch(_CONSENTS, [one.data.survey for one in asked]))
    now = datetime.now(UTC)
    return {
        one.action
        for one in asked
        if (known := _respondent(persons, states, one)).is_suppressed(now)
        or not _agrees(known, one, wanted, policy.consent)
    }


def _respondent(persons: Persons, states: Mapping[str, bytes], request: Requested) -> Respondent:
    members = persons.of(str(request.envelope.subject)).members
    return join(unpack(states[member]) for member in members if member in states)


def _agrees(
    respondent: Respondent, request: Requested, wanted: Mapping[Any, Any], default: Consent
) -> bool:
    channel = request.data.channel
    if channel is None:
        return True
    return agrees(respondent, channel, wanted.get(request.data.survey) or default)

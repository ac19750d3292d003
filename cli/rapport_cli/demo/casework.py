"""What an agent asks besides the profile: who may be one person, what they tried, how it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport_cli.demo.desk import Desk, profile_path
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.household import FAY
from rapport_cli.demo.saying import instant
from rapport_cli.demo.stories import ADA, STILL_ON_THE_PHONE, days_before

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Casework:
    """Answers of the profile service, as they came."""

    suggestions: Sequence[Document]
    issues: Sequence[Document]
    """What Ada went through."""
    promises: Sequence[Document]
    """All that were made to Ada and Fay."""
    then: Document
    """Ada while she waited on the telephone."""
    since: Document
    """What changed in her profile between then and the end of the story."""
    hello: Document
    """The first thing that her stream says."""


async def open_cases(desk: Desk, traffic: Traffic) -> Casework:
    """Raises ReadFailedError."""
    ada, fay = profile_path(f"user_id:{ADA.user}"), profile_path(f"user_id:{FAY.user}")
    moment = phone_moment(traffic)
    span = {"from": moment, "to": instant(traffic.end)}
    promises = [
        one
        for path in (ada, fay)
        for one in await desk.read_all(f"{path}/commitments", "commitments")
    ]
    return Casework(
        suggestions=await desk.read_suggestions(),
        issues=await desk.read_all(f"{ada}/attempts", "issues"),
        promises=promises,
        then=await desk.read(ada, {"as_of": moment}),
        since=await desk.read(f"{ada}/diff", span),
        hello=await desk.first_words(f"{ada}/stream"),
    )


def phone_moment(traffic: Traffic) -> str:
    return instant(days_before(traffic.end)(*STILL_ON_THE_PHONE))

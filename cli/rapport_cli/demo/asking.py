"""Real surveys: the service asks, customers answer on its page, one of them is got back to."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import httpx2

from rapport_cli.demo.crowd import STRANGER
from rapport_cli.demo.desk import Desk, profile_path
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.letters import read_invitations
from rapport_cli.demo.play import play
from rapport_cli.demo.questions import AFTER_CASE, AFTER_PARCEL
from rapport_cli.demo.receipts import PublisherFailedError
from rapport_cli.demo.saying import Said
from rapport_cli.demo.script import CARRIER, HELPDESK, SHOP, Person, Script, made_up
from rapport_cli.demo.todo import nothing_to_do, to_do
from rapport_cli.demo.waiting import PATIENCE_SECONDS, NothingCameError, until

_MOST_OF_THE_CROWD: Final = 12

Document = Mapping[str, Any]


HANA: Final = made_up("Hana", "Sato")
IVO: Final = made_up("Ivo", "Petrov")
JUN: Final = made_up("Jun", "Castro")
KAI: Final = made_up("Kai", "Larsen")
ASKED: Final = (HANA, IVO, JUN, KAI)

_WORDS: Final = {
    HANA.email: (5, "Sorted within the hour. Thank you!"),
    IVO.email: (2, "Two weeks late, and nobody told me why."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of the surveys, as the services tell it."""

    eligible: int
    """Who had a reason to be asked."""
    rates: Mapping[str, Document]
    """By survey: who was asked, who answered, and why others were not asked."""
    answered: Mapping[str, int]
    """By address: the score that was given."""
    seconds: float
    """From Ivo's thank-you to his 360° view."""
    hana: Document
    ivo: Document
    """When it was over."""
    task: str
    """What somebody had to do for Ivo in the meantime."""
    loop: Document
    loop_time: Document
    answers: Sequence[Document]
    link: str
    """Jun has not answered yet."""


async def ask(desk: Desk, traffic: Traffic, stack: Mapping[str, Any]) -> Asked:
    """Raises NothingCameError, ReadFailedError, PublisherFailedError."""
    for survey in (AFTER_CASE, AFTER_PARCEL):
        await _publish(desk, survey)
    crowd = [user for user in traffic.users().items() if user[0].startswith(STRANGER)]
    said = _occasions(crowd[:_MOST_OF_THE_CROWD])
    moment = datetime.now(UTC)
    receipts = await play(Traffic(said, moment, moment), stack, lambda _: None)
    if receipts.rejected:
        raise PublisherFailedError(f"{receipts.rejected} events were refused")
    eligible = sum(one.type in {"ticket.resolved.v1", "order.delivered.v1"} for one in said)
    rates = await until("invitations", lambda: _settled(desk, eligible))
    invited = sum(rate["invited"] for rate in rates.values())
    links = await until("letters", lambda: _letters(Path(stack["messages"]), invited))
    open_link = links.pop(JUN.email)
    answered = await _answer_all(links)
    began = time.monotonic()
    await until("Ivo's answer", lambda: _has(desk, IVO, "satisfaction"))
    seconds = time.monotonic() - began
    tasks = await until("Ivo's follow-up", lambda: to_do(desk, IVO.email))
    loop = await _close(desk, tasks[0]["task"])
    await until("the end of Ivo's follow-up", lambda: nothing_to_do(desk, IVO.email))
    return Asked(
        eligible=eligible,
        rates=await until("answers", lambda: _all_answered(desk, eligible, len(answered))),
        answered=answered,
        seconds=seconds,
        hana=await desk.read(profile_path(f"email:{HANA.email}")),
        ivo=await desk.read(profile_path(f"email:{IVO.email}")),
        task=tasks[0]["task"],
        loop=loop,
        loop_time=await until("the KPI of follow-ups", lambda: _loop_time(desk, moment)),
        answers=(await desk.read("/v1/feedback", {"definition": AFTER_PARCEL["id"]}))["feedback"],
        link=open_link,
    )


async def _publish(desk: Desk, survey: Document) -> None:
    draft = await desk.write("/v1/surveys", survey)
    await desk.write(f"/v1/surveys/{draft['id']}/versions/{draft['version']}:go-live", {})


def _occasions(crowd: Sequence[tuple[str, str]]) -> list[Said]:
    """Something happens to each of them that they may be asked about. Told after it happened."""
    now = datetime.now(UTC)
    # The story's clock knows whole seconds; a survey asks nobody about what came before it.
    at = now.replace(microsecond=0) + timedelta(seconds=1)
    world = uuid5(NAMESPACE_URL, f"https://rapport.example/asked/{now.isoformat()}")
    scripts = [_known(Script(person, world), at) for person in ASKED]
    hana, ivo, jun, kai = scripts
    asked = {"ticket": "T-3001", "topic": "billing", "subject": "Was I charged twice?"}
    solved = {"ticket": "T-3001", "agent": "eve", "team": "tier1"}
    hana.fact(at, "ticket.created", HELPDESK, asked, via="email")
    hana.fact(at, "ticket.resolved", HELPDESK, solved, via="email", by="agent")
    mine = {"email": KAI.email}
    kai.fact(at, "consent.withdrawn", SHOP, {"purpose": "service"}, via="web", known_as=mine)
    for number, script in enumerate((ivo, jun, kai), 1):
        _receive(script, at, f"O-300{number}", {"email": script.person.email})
    for number, (key, user) in enumerate(crowd):
        person = Person(
            key=key, first_name="", last_name="", email="", user=user, anonymous=""
        )  # fmt: skip
        script = Script(person, world)
        _receive(script, at, f"O-31{number:02}")
        scripts.append(script)
    return [one for script in scripts for one in script.said]


def _known(script: Script, at: datetime) -> Script:
    """By their address alone: who has two names is two people until both were heard together."""
    person = script.person
    traits = {"first_name": person.first_name, "last_name": person.last_name}
    mine = {"email": person.email}
    script.fact(at, "customer.created", SHOP, traits, via="web", known_as=mine)
    return script


def _receive(
    script: Script, at: datetime, order: str, known_as: Mapping[str, str] | None = None
) -> None:
    arrived = {"order": order, "on_time": True}
    script.fact(at, "order.delivered", CARRIER, arrived, known_as=known_as)


async def _settled(desk: Desk, eligible: int) -> dict[str, Document] | None:
    """The rates, once of everybody it is known whether they are asked."""
    rates = await _rates(desk)
    known = sum(one["eligible"] - one["waiting"] for one in rates.values())
    return rates if known >= eligible else None


async def _all_answered(desk: Desk, eligible: int, answers: int) -> dict[str, Document] | None:
    rates = await _settled(desk, eligible)
    counted = sum(one["answered"] for one in (rates or {}).values())
    return rates if counted >= answers else None


async def _rates(desk: Desk) -> dict[str, Document]:
    return {
        str(one["id"]): await desk.read(f"/v1/surveys/{one['id']}/rates")
        for one in (AFTER_CASE, AFTER_PARCEL)
    }


async def _letters(file: Path, invited: int) -> dict[str, str] | None:
    """By address: the link."""
    found = {one.to: one.link for one in read_invitations(file)}
    return found if len(found) >= invited else None


async def _answer_all(links: Mapping[str, str]) -> dict[str, int]:
    """On the page, like browsers; of the crowd every second one. Ivo is the last."""
    answered: dict[str, int] = {}
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False) as browser:
        for number, address in enumerate(sorted(links, key=lambda one: one == IVO.email)):
            score, words = _WORDS.get(address, (7 + number % 4, ""))
            if address not in _WORDS and number % 2:
                continue
            form = {"q-score": str(score), "q-comment": words}
            thanks = await browser.post(links[address], data=form)
            if thanks.status_code != httpx2.codes.OK:
                raise NothingCameError(f"a thank-you (but {thanks.status_code})")
            answered[address] = score
    return answered


async def _close(desk: Desk, task: str) -> Document:
    page = await desk.read("/v1/loops", {"state": "open", "limit": 200})
    loop = next(one for one in page["loops"] if one["task"] == task)
    told = {"outcome": "called", "informed": True, "note": "Told him why, and sent beans."}
    closed: Document = (await desk.write(f"/v1/loops/{loop['loop']}:close", told))["loop"]
    return closed


async def _has(desk: Desk, person: Person, part: str) -> Sequence[Document] | None:
    shown = await desk.read(profile_path(f"email:{person.email}"), {"include": part})
    found: Sequence[Document] = shown[part]
    return found or None


async def _loop_time(desk: Desk, since: datetime) -> Document | None:
    start = since.replace(minute=0, second=0, microsecond=0)
    span = {"from": start.isoformat(), "to": (start + timedelta(hours=2)).isoformat()}
    (point,) = (await desk.read("/v1/kpis/loop_time", span, "ops"))["series"]
    return point if point["den"] else None

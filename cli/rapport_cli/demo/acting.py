"""Acting before somebody asks: four customers who are spoken to, and one who is left alone."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import httpx2

from rapport_cli.demo.asking import IVO
from rapport_cli.demo.desk import Desk, profile_path
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.letters import Letter, read_letters
from rapport_cli.demo.play import play
from rapport_cli.demo.receipts import PublisherFailedError
from rapport_cli.demo.rules import BIRTHDAY, CART, PARCEL, RECOVERY, hurry
from rapport_cli.demo.saying import Said
from rapport_cli.demo.script import CARRIER, DESK, SHOP, SURVEYS, Person, Script, made_up
from rapport_cli.demo.waiting import until

LENA: Final = made_up("Lena", "Fischer")
MAX: Final = made_up("Max", "Dubois")
NIA: Final = made_up("Nia", "Okafor")
OLI: Final = made_up("Oli", "Berg")

_AHEAD: Final = timedelta(seconds=10)
"""So long it may take until Lena and her birthday are known."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plot:
    """What was begun before the traffic, because it takes its time."""

    versions: Mapping[str, str]
    """Of the demo's own rules."""
    birthday: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What came of it, as the services tell it."""

    plot: Plot
    decisions: Mapping[str, Document]
    """By name of the customer."""
    letters: Mapping[str, Letter]
    """By name: what they were written."""
    seconds: float
    """From the news of Max's parcel to the message to him."""
    task: str
    """What had to be done for Ivo."""
    ivo: Document
    """When it was done, and he had been asked again."""
    oli: Document
    """After he unsubscribed."""
    why: Document
    """Why Oli heard nothing of his cart."""
    link: str
    """To Nia's preferences."""


async def begin(desk: Desk, stack: Mapping[str, Any]) -> Plot:
    """Raises ReadFailedError, PublisherFailedError."""
    soon = datetime.now(UTC) + _AHEAD
    birthday = soon.replace(second=0, microsecond=0) + timedelta(minutes=1)
    versions = await hurry(desk, birthday)
    lena = _script(LENA, birthday)
    at = datetime.now(UTC)
    lena.fact(at, "customer.created", SHOP, _born(LENA, birthday), known_as=_mail(LENA))
    _agree(lena, at)
    await _say(lena.said, stack)
    return Plot(versions, birthday)


async def act(desk: Desk, plot: Plot, stack: Mapping[str, Any]) -> Acted:
    """Raises NothingCameError, ReadFailedError, PublisherFailedError."""
    await _say(_arrivals(), stack)
    oli = await _unsubscribe(desk, OLI)
    began = time.monotonic()
    await _say(_occasions(), stack)
    late = await until("news of Max's parcel", lambda: _decided(desk, MAX, PARCEL))
    letters = {"Max": await until("a message to Max", lambda: _letter(stack, MAX, late))}
    seconds = time.monotonic() - began
    decisions = {
        "Max": late,
        "Nia": await until("word of Nia's cart", lambda: _decided(desk, NIA, CART)),
        "Oli": await until("a decision about Oli's cart", lambda: _decided(desk, OLI, CART)),
        "Ivo": await until("a call of Ivo", lambda: _decided(desk, IVO, RECOVERY)),
    }
    task, ivo = await _recover(desk, stack)
    decisions["Lena"] = await until("Lena's birthday", lambda: _decided(desk, LENA, BIRTHDAY))
    letters |= {
        "Nia": await until("a message to Nia", lambda: _letter(stack, NIA, decisions["Nia"])),
        "Lena": await until("a message to Lena", lambda: _letter(stack, LENA, decisions["Lena"])),
    }
    return Acted(
        plot=plot,
        decisions=decisions,
        letters=letters,
        seconds=seconds,
        task=task,
        ivo=ivo,
        oli=oli,
        why=await _explained(desk, OLI, CART),
        link=await _link(desk, NIA),
    )


def _script(person: Person, at: datetime) -> Script:
    return Script(person, uuid5(NAMESPACE_URL, f"https://rapport.example/acted/{at.isoformat()}"))


def _mail(person: Person) -> Mapping[str, str]:
    return {"email": person.email}


def _born(person: Person, day: datetime) -> Document:
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "birth_date": f"{day.year - 30}-{day:%m-%d}" if f"{day:%m-%d}" != "02-29" else "1992-02-29",
        "tz": "UTC",
        "language": "en",
    }


def _agree(script: Script, at: datetime) -> None:
    yes = {"purpose": "marketing", "channel": "email"}
    script.fact(at, "consent.granted", SHOP, yes, known_as=_mail(script.person))


def _arrivals() -> list[Said]:
    """They sign up, and are glad to hear of offers."""
    at = datetime.now(UTC)
    scripts = [_script(person, at) for person in (MAX, NIA, OLI)]
    for script in scripts:
        person = script.person
        traits = {"first_name": person.first_name, "last_name": person.last_name}
        script.fact(at, "customer.created", SHOP, traits, known_as=_mail(person))
        _agree(script, at)
    return [one for script in scripts for one in script.said]


def _occasions() -> list[Said]:
    """A parcel is late; two carts are left."""
    at = datetime.now(UTC)
    max_, nia, oli = (_script(person, at) for person in (MAX, NIA, OLI))
    bought = {"order": "O-4001", "amount": 3_400, "currency": "EUR"}
    late = {
        "order": "O-4001",
        "eta_before": at + timedelta(days=1),
        "eta_after": at + timedelta(days=3),
        "reason": "weather",
    }
    max_.fact(at, "order.placed", SHOP, bought, known_as=_mail(MAX))
    max_.fact(at, "shipment.delayed", CARRIER, late, known_as=_mail(MAX))
    for number, script in enumerate((nia, oli), 1):
        cart = {"cart": f"cart-400{number}", "value": 2_490, "currency": "EUR", "change": "added"}
        script.fact(at, "cart.updated", SHOP, cart, known_as=_mail(script.person))
    return [one for script in (max_, nia, oli) for one in script.said]


async def _say(said: Sequence[Said], stack: Mapping[str, Any]) -> None:
    moment = datetime.now(UTC)
    receipts = await play(Traffic(said, moment, moment), stack, lambda _: None)
    if receipts.rejected:
        raise PublisherFailedError(f"{receipts.rejected} events were refused")


async def _unsubscribe(desk: Desk, person: Person) -> Document:
    """By one click, as mail programs do it, as soon as it is known that there is what to stop."""
    await until("a yes", lambda: _consents(desk, person, granted=True))
    link = await _link(desk, person)
    async with httpx2.AsyncClient(timeout=20, trust_env=False) as browser:
        done = await browser.post(link, data={"List-Unsubscribe": "One-Click"})
    if done.status_code != httpx2.codes.OK:
        raise PublisherFailedError(f"the preference page answered {done.status_code}")
    return await until("a no on the 360° view", lambda: _consents(desk, person, granted=False))


async def _consents(desk: Desk, person: Person, *, granted: bool) -> Document | None:
    shown = await desk.find(profile_path(f"email:{person.email}"))
    said = [] if shown is None else shown["consents"]
    found = [one for one in said if (one["channel"], one["purpose"]) == ("email", "marketing")]
    return shown if [one["granted"] for one in found] == [granted] else None


async def _link(desk: Desk, person: Person) -> str:
    subject = await _subject(desk, person)
    return str((await desk.write(f"/v1/customers/{subject}/preference-links", {}))["link"])


async def _subject(desk: Desk, person: Person) -> str:
    shown = await desk.read(profile_path(f"email:{person.email}"), {"include": "events"})
    return str(shown["subject"])


async def _decided(desk: Desk, person: Person, trigger: str) -> Document | None:
    shown = await desk.find(profile_path(f"email:{person.email}"))
    if shown is None:
        return None
    query = {"customer": shown["subject"], "trigger": trigger}
    found = (await desk.read("/v1/decisions", query))["decisions"]
    decision: Document | None = found[0] if found else None
    return decision


async def _letter(stack: Mapping[str, Any], person: Person, decision: Document) -> Letter | None:
    letters = read_letters(Path(stack["messages"]))
    wanted = (person.email, decision["template"])
    return next((one for one in letters if (one.to, one.template) == wanted), None)


async def _recover(desk: Desk, stack: Mapping[str, Any]) -> tuple[str, Document]:
    """Somebody calls Ivo, as they were asked to; after that he is asked again."""
    mine = profile_path(f"email:{IVO.email}")
    task = await until("a task to call Ivo", lambda: _call(desk, mine))
    at = datetime.now(UTC)
    ivo = _script(IVO, at)
    ivo.fact(at, "task.completed", DESK, {"task": task, "assignee": "eve"}, known_as=_mail(IVO))
    happy = {"survey": "demo-again", "kind": "nps", "about": "relationship", "score": 9}
    ivo.fact(at, "survey.responded", SURVEYS, happy, via="phone", known_as=_mail(IVO))
    await _say(ivo.said, stack)
    return task, await until("Ivo's new answer", lambda: _happier(desk, mine, task))


async def _call(desk: Desk, path: str) -> str | None:
    tasks = (await desk.read(path, {"include": "tasks"}))["tasks"]
    return next((one["task"] for one in tasks if one["task"].startswith("t-")), None)


async def _happier(desk: Desk, path: str, task: str) -> Document | None:
    shown = await desk.read(path)
    scores = [one["score"] for one in shown["satisfaction"]]
    is_done = task not in {one["task"] for one in shown["tasks"]}
    return shown if is_done and scores == [9] else None


async def _explained(desk: Desk, person: Person, trigger: str) -> Document:
    asked = {"customer": await _subject(desk, person), "trigger": trigger}
    return await desk.write("/v1/explain", asked)

"""Everybody else: customers drawn at random, each from a seed of their own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from rapport_cli.demo import buying, serving
from rapport_cli.demo.catalogue import PRODUCTS
from rapport_cli.demo.script import MAILER, Person, Script

STRANGER: Final = "customer-"
"""Begins the key of everybody who was drawn."""

_FIRST: Final = (
    *("Amira", "Björn", "Chidi", "Dana", "Emeka", "Fatou", "Goran", "Hana", "Ines", "Jonas"),
    *("Kofi", "Lena", "Mateo", "Nadia", "Oskar", "Priya", "Quinn", "Rosa", "Sami", "Tariq"),
)
_LAST: Final = (
    *("Abara", "Bauer", "Castro", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ito"),
    *("Jansen", "Kowalski", "Larsen", "Moreau", "Novak", "Oduya", "Petrov", "Rossi", "Sato"),
)
_AGENTS: Final = ("eve", "noor", "tom")
_AREAS: Final = (202, 212, 303, 312, 404, 415, 503, 602, 617, 702)
_TOPICS: Final = ("delivery", "billing", "defect", "how_to")
_WORDS: Final = {
    "delivery": ("Where is my order?", "It should have been here by now."),
    "billing": ("I was charged twice", "Please look at my last invoice."),
    "defect": ("It came broken", "The lid does not close."),
    "how_to": ("How do I clean it?", "The manual does not say."),
}


@dataclass(slots=True)
class _Life:
    """One customer while their story is made up. `now` only moves on."""

    script: Script
    random: Random
    now: datetime
    number: int
    things: int = 0
    """Orders, tickets and surveys so far, so that each has an id of its own."""

    def later(self, least: timedelta, most: timedelta) -> datetime:
        moment = self.now + least + (most - least) * self.random.random()
        self.now = moment.replace(microsecond=0)
        return self.now

    def happens(self, probability: float) -> bool:
        return self.random.random() < probability

    def new_id(self, letter: str) -> str:
        self.things += 1
        return f"{letter}-{self.number}-{self.things}"


def stranger(number: int, random: Random) -> Person:
    """Numbers for telephones are those that are kept free for fiction."""
    first, last = random.choice(_FIRST), random.choice(_LAST)
    area, line = divmod(number, 100)
    phone = f"+1{_AREAS[area]}55501{line:02}" if area < len(_AREAS) else None
    return Person(
        key=f"{STRANGER}{number}",
        first_name=first,
        last_name=last,
        email=f"customer-{number}@example.com",
        user=f"u-{number}",
        anonymous=f"anon-{number}",
        phone=phone,
    )


def live(number: int, seed: int, start: datetime, end: datetime, world: UUID) -> Script:
    """Everything that one of the crowd does; some of it after `end`."""
    random = Random(f"{seed}/{number}")  # noqa: S311  # a story, not a secret
    script = Script(stranger(number, random), world)
    begin = start + (end - start) * 0.7 * random.random()
    life = _Life(script, random, begin, number)
    _visit(life)
    _visit(life)
    script.sign_up(life.later(_MINUTE, 5 * _MINUTE))
    if life.happens(0.7):
        buying.allow(script, life.later(_SECOND, _MINUTE), "email")
    while life.now < end:
        _visit(life)
        if life.happens(0.35):
            _purchase(life)
        if life.happens(0.3):
            _read_newsletter(life)
        if life.happens(0.1):
            _say_how_it_is(life)
        life.later(2 * _DAY, 25 * _DAY)
    return script


def _visit(life: _Life) -> None:
    life.later(_MINUTE, _DAY)
    life.script.page(life.now, "Home")
    for _ in range(life.random.randint(1, 3)):
        product = life.random.choice(PRODUCTS)
        life.script.page(life.later(_SECOND, 3 * _MINUTE), product.category.capitalize())
        buying.look(life.script, life.later(_SECOND, _MINUTE), product)


def _purchase(life: _Life) -> None:
    order, wanted = life.new_id("O"), life.random.choice(PRODUCTS)
    # The basket is filled some minutes before the order.
    buying.order(life.script, life.later(6 * _MINUTE, 20 * _MINUTE), order, wanted)
    shipped = life.later(4 * _HOUR, 2 * _DAY)
    promised = shipped + 2 * _DAY
    buying.ship(life.script, shipped, order, promised)
    late = life.happens(0.15)
    if late:
        found = life.later(_HOUR, _DAY)
        told = found + 3 * _DAY if life.happens(0.2) else None
        by = buying.Delay(promised, promised + 2 * _DAY, "weather", told)
        buying.delay(life.script, found, order, by)
    if late and life.happens(0.7):
        _complain(life, "delivery")
    buying.deliver(life.script, life.later(_DAY, 2 * _DAY), order, on_time=not late)
    if life.happens(0.15):
        _complain(life, life.random.choice(_TOPICS))


def _complain(life: _Life, topic: str) -> None:
    subject, body = _WORDS[topic]
    question = serving.Question(
        ticket=life.new_id("T"),
        topic=topic,
        channel=life.random.choice(("email", "chat", "web")),
        agent=life.random.choice(_AGENTS),
        subject=subject,
        body=body,
        about="product" if topic in {"defect", "how_to"} else "service",
    )
    script = life.script
    serving.ask(script, life.later(_HOUR, 5 * _HOUR), question)
    serving.reply(script, life.later(5 * _MINUTE, 8 * _HOUR), question, "We are on it.")
    if life.happens(0.3):
        serving.ring(script, life.later(_HOUR, 5 * _HOUR), life.new_id("C"), question)
    if life.happens(0.9):
        serving.resolve(script, life.later(_HOUR, _DAY), question, "Solved.")
        _answer(life, serving.Survey(life.new_id("V"), "csat", "service"), 1, 5)


def _say_how_it_is(life: _Life) -> None:
    _answer(life, serving.Survey(life.new_id("V"), "nps", "relationship"), 0, 10)


def _answer(life: _Life, survey: serving.Survey, worst: int, best: int) -> None:
    """Most are content, so the better of two throws; every second one answers at all."""
    serving.invite(life.script, life.later(_HOUR, 2 * _HOUR), survey)
    if life.happens(0.5):
        value = max(life.random.randint(worst, best) for _ in range(2))
        serving.score(life.script, life.later(_HOUR, _DAY), survey, value)


def _read_newsletter(life: _Life) -> None:
    mail = {"message": life.new_id("M"), "template": "newsletter"}
    script = life.script
    script.fact(life.later(_HOUR, 3 * _HOUR), "message.delivered", MAILER, mail, via="email")
    if life.happens(0.4):
        opened = life.later(_HOUR, _DAY)
        script.fact(opened, "message.opened", MAILER, mail, via="email", by="customer")


_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

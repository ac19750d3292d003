"""Three customers whose stories the tour tells and the checks know by heart. All are made up."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from rapport_cli.demo import buying, serving
from rapport_cli.demo.catalogue import BEANS, GRINDER, MACHINE
from rapport_cli.demo.script import DESK, LOYALTY, MAILER, SHOP, Person, Script

When = Callable[[int, int, int], datetime]
"""So many days before the end, at an hour and a minute."""

DAYS: Final = 21
"""How long the longest story is."""

ADA: Final = Person(
    key="ada",
    first_name="Ada",
    last_name="Byron",
    email="ada.byron@example.com",
    user="u-ada",
    anonymous="anon-ada-laptop",
    phone="+12065550143",
)
BEN: Final = Person(
    key="ben",
    first_name="Ben",
    last_name="Okafor",
    email="ben.okafor@example.com",
    user="u-ben",
    anonymous="anon-ben-laptop",
    phone="+12065550117",
)
CLEO: Final = Person(
    key="cleo",
    first_name="Cleo",
    last_name="Marchetti",
    email="cleo.marchetti@example.com",
    user="u-cleo",
    anonymous="anon-cleo-laptop",
)
NAMED: Final = (ADA, BEN, CLEO)

CLEO_PHONE: Final = "anon-cleo-phone"
CLEO_CARD: Final = {"loyalty_id": "card-7781"}

_PARCEL: Final = serving.Question(
    ticket="T-2001",
    topic="delivery",
    channel="chat",
    agent="eve",
    subject="Where is my Lyra?",
    body="The bot could not tell me. It should have come on Monday.",
    priority="high",
)
_NOISE: Final = serving.Question(
    ticket="T-2002",
    topic="defect",
    channel="email",
    agent="noor",
    subject="The grinder is loud and nobody answers",
    body="Second mail. Does anybody read these?",
    about="product",
)


_ADA_SURVEY: Final = serving.Survey("v-301", "csat", "service", _PARCEL.ticket)
_BEN_ANGRY: Final = serving.Survey("v-302", "nps", "relationship")
_BEN_AGAIN: Final = serving.Survey("v-303", "nps", "relationship")
_CLEO_SURVEY: Final = serving.Survey("v-304", "nps", "relationship")


STILL_ON_THE_PHONE: Final = (11, 15, 50)
"""When Ada called, and nobody had taken the call yet."""


def days_before(end: datetime) -> When:
    def when(days: int, hour: int, minute: int) -> datetime:
        return end - timedelta(days=days) + timedelta(hours=hour, minutes=minute)

    return when


def ada(script: Script, when: When, last: datetime) -> None:
    """Looks around, signs up, buys, waits, asks everywhere, is helped, and says so.

    The carrier tells of the delay only at `last`, when all is over.
    """
    _ada_looks_around(script, when)
    _ada_buys(script, when, last)
    _ada_asks_machines(script, when)
    _ada_asks_people(script, when)
    _ada_is_happy(script, when)


def _ada_looks_around(script: Script, when: When) -> None:
    script.page(when(16, 19, 2), "Home")
    script.page(when(16, 19, 4), "Espresso machines")
    buying.look(script, when(16, 19, 5), MACHINE)
    buying.look(script, when(16, 19, 9), GRINDER)
    searched = {"query": "quiet espresso machine", "results": 3}
    script.call(when(16, 19, 11), "search.performed.v1", "Products Searched", searched)
    script.page(when(15, 8, 31), "Home")
    buying.look(script, when(15, 8, 33), MACHINE)
    script.sign_up(when(15, 8, 40))


def _ada_buys(script: Script, when: When, last: datetime) -> None:
    buying.allow(script, when(15, 8, 41), "email")
    buying.forbid(script, when(15, 8, 42), "phone")
    liked = {"language": "en", "tz": "Europe/Berlin", "preferred_channel": "chat"}
    script.fact(when(15, 8, 43), "preference.changed", SHOP, liked, via="web")
    buying.order(script, when(15, 8, 55), "O-1001", MACHINE)
    mail = {"message": "m-ada-1", "template": "order_confirmation"}
    script.fact(when(15, 9, 0), "message.delivered", MAILER, mail, via="email")
    script.fact(when(15, 12, 14), "message.opened", MAILER, mail, via="email", by="customer")
    buying.ship(script, when(14, 16, 20), "O-1001", when(12, 18, 0))
    late = buying.Delay(when(12, 18, 0), when(10, 18, 0), "sorting_centre", told=last)
    buying.delay(script, when(12, 17, 5), "O-1001", late)


def _ada_asks_machines(script: Script, when: When) -> None:
    searched = {"session": "s-ada-3", "query": "where is my parcel", "results": 0}
    script.fact(when(11, 9, 2), "help.searched", SHOP, searched, via="web")
    read = {"session": "s-ada-3", "article": "track-a-parcel"}
    script.fact(when(11, 9, 3), "help.viewed", SHOP, read, via="web")
    talked = {"conversation": "b-771", "intent": "order_status", "outcome": "handed_over"}
    script.fact(when(11, 9, 6), "bot.conversed", SHOP, talked, via="chat", by="bot")


def _ada_asks_people(script: Script, when: When) -> None:
    serving.ask(script, when(11, 9, 7), _PARCEL)
    serving.reply(script, when(11, 9, 15), _PARCEL, "It is stuck; I have asked the carrier.")
    serving.say(script, when(11, 15, 40), _PARCEL, "Still nothing. I will call.", -40)
    serving.ring(script, when(11, 15, 48), "C-501", _PARCEL)
    needs = "Needs the machine for a party on Saturday."
    serving.note(script, when(11, 16, 0), "n-81", "eve", needs)
    moves = "A call when the parcel moves"
    serving.promise(script, when(11, 16, 1), "c-31", "eve", moves, when(10, 12, 0))
    serving.keep(script, when(10, 11, 20), "c-31", "eve")
    buying.deliver(script, when(10, 16, 45), "O-1001", on_time=False)
    serving.resolve(script, when(10, 17, 5), _PARCEL, "Delivered two days late; beans on us.")
    serving.invite(script, when(10, 18, 0), _ADA_SURVEY)


def _ada_is_happy(script: Script, when: When) -> None:
    serving.score(script, when(9, 20, 11), _ADA_SURVEY, 5, "Eve was on top of it. Thank you!")
    serial = {"serial": "LY-00417"}
    registered = "custom.machine_registered.v1"
    script.call(when(8, 10, 0), registered, "Machine Registered", serial)
    buying.order(script, when(3, 18, 30), "O-1002", BEANS)
    buying.ship(script, when(2, 10, 0), "O-1002", when(-1, 18, 0))
    kit = "A free descaling kit"
    serving.promise(script, when(2, 10, 30), "c-32", "eve", kit, when(-14, 12, 0))


def ben(script: Script, when: When) -> None:
    """Nobody answers him, he says what he thinks of us, and is won back."""
    script.page(when(20, 20, 1), "Grinders")
    buying.look(script, when(20, 20, 3), GRINDER)
    script.sign_up(when(20, 20, 9))
    buying.allow(script, when(20, 20, 10), "email")
    buying.order(script, when(20, 20, 15), "O-1003", GRINDER)
    buying.ship(script, when(19, 9, 0), "O-1003", when(17, 18, 0))
    buying.deliver(script, when(17, 11, 0), "O-1003", on_time=True)
    serving.ask(script, when(16, 8, 0), _NOISE)
    serving.say(script, when(14, 8, 30), _NOISE, "Hello?", -70)
    serving.invite(script, when(13, 9, 0), _BEN_ANGRY)
    serving.score(script, when(13, 9, 20), _BEN_ANGRY, 2, "Two mails, no answer.")
    _ben_is_won_back(script, when)


def _ben_is_won_back(script: Script, when: When) -> None:
    serving.promise(script, when(13, 10, 0), "c-33", "noor", "A new grinder", when(11, 12, 0))
    serving.reply(script, when(13, 10, 4), _NOISE, "I am sorry. A new one is on its way.")
    back = {"order": "O-1003", "return": "R-61"}
    asked = {**back, "reason": "defect", "about": "product"}
    script.fact(when(13, 10, 8), "return.requested", SHOP, asked, by="agent")
    serving.keep(script, when(11, 10, 0), "c-33", "noor")
    settled = {**back, "resolution": "exchange"}
    script.fact(when(9, 10, 0), "return.completed", SHOP, settled, by="agent")
    serving.resolve(script, when(9, 10, 5), _NOISE, "Exchanged.")
    serving.invite(script, when(5, 9, 0), _BEN_AGAIN)
    serving.score(script, when(5, 19, 0), _BEN_AGAIN, 9, "They listened.")


def cleo(script: Script, when: When, last: datetime) -> None:
    """One person whom we took for three: a laptop, a telephone, and a loyalty card.

    The shop tells of a refund only at `last`.
    """
    script.page(when(12, 7, 30), "Beans")
    script.page(when(12, 12, 10), "Beans", CLEO_PHONE)
    buying.look(script, when(12, 12, 12), BEANS, CLEO_PHONE)
    earned = {"points": 120, "reason": "store"}
    script.fact(when(12, 17, 0), "points.earned", LOYALTY, earned, via="store", known_as=CLEO_CARD)
    script.sign_up(when(11, 7, 45))
    buying.order(script, when(11, 7, 50), "O-1004", BEANS)
    script.alias(when(11, 12, 0), CLEO_PHONE)
    merged = {"from": dict(CLEO_CARD), "reason": "showed_her_card", "actor": "eve"}
    script.fact(when(10, 15, 0), "customer.merged", DESK, merged)
    serving.invite(script, when(8, 9, 0), _CLEO_SURVEY)
    serving.score(script, when(8, 9, 30), _CLEO_SURVEY, 1, "Simply the best!")
    meant = "Simply the best! I took 1 for the best mark."
    serving.score(script, when(7, 20, 0), _CLEO_SURVEY, 10, meant, revision=2)
    buying.refund(script, when(6, 10, 0), "O-1004", 1_245, told=last)

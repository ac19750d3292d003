"""Moments of people for the tests of what is decided, and random lives to decide about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from random import Random
from typing import Final

from rapport_events import wire
from rapport_personalization.documents import load
from rapport_personalization.domain.candidates import Catalogue, catalogue
from rapport_personalization.domain.moment import NOTHING_PERSONAL, Moment, Personal
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.scene import Candidate
from rapport_personalization.domain.trigger import Entry, Trigger

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADA: Final = "00000000-0000-4000-8000-00000000ada0"
BOB: Final = "00000000-0000-4000-8000-00000000b0b0"
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
END: Final = NOON + 200 * DAY

POLICIES: Final = Policies(global_holdout=0)
HALF: Final = Policies(global_holdout=2_000, clv_top=50_000.0)
"""So many are left out that random lives have some of them."""

ZONES: Final = (
    "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kolkata",
    "America/St_Johns", "Pacific/Apia", "Africa/Casablanca", "Pacific/Chatham", "No/Where", "UTC",
)  # fmt: skip

_TYPES: Final = {data: type_ for type_, data in wire.BY_TYPE.items()}


@cache
def shipped() -> Catalogue:
    """The catalogue of the project."""
    return catalogue(load())


def moment(
    data: wire.Data,
    at: datetime = NOON,
    *,
    name: str | None = None,
    recorded: datetime | None = None,
    subject: str = ADA,
    channel: str | None = None,
    historical: bool = False,
    personal: Personal = NOTHING_PERSONAL,
) -> Moment:
    """`name` makes two events of the same content different ones."""
    text = name or f"{at.isoformat()}{data!r}"
    key = blake2b(text.encode(), digest_size=16).digest()
    type_ = _TYPES[type(data)]
    return Moment(at, recorded or at, key, type_, subject, data, channel, historical, personal)


def a_customer(
    *, reaches: Sequence[str] = ("email",), tz: str | None = None, subject: str = ADA
) -> list[Moment]:
    """Somebody who may be written to by e-mail; known for a month, so that nothing starts."""
    at = NOON - 30 * DAY
    created = moment(
        wire.CustomerCreated(tz=tz),
        at,
        historical=True,
        subject=subject,
        personal=Personal(None, frozenset(reaches)),
    )
    agreed = wire.ConsentGranted(purpose="marketing")
    return [created, moment(agreed, at, historical=True, subject=subject)]


def a_trigger(name: str = "thanks", **changes: object) -> Trigger:
    """A plain rule: an order is answered by e-mail at once."""
    on = Entry(events=frozenset({"order.placed.v1"}), key="order")
    plain = Trigger(id=name, rank=1, kind="marketing", on=on, channels=("email",), template="x")
    return replace(plain, **changes)  # type: ignore[arg-type]  # what a test says of a trigger


def a_candidate(trigger: Trigger, at: datetime = NOON, thing: str = "o1") -> Candidate:
    return Candidate(
        trigger=trigger.id,
        version="1",
        person=ADA,
        anchor=thing,
        thing=thing,
        at=at,
        due=at,
        send_at=at,
        key=b"k" * 16,
    )


def a_life(rng: Random, size: int, *, is_history: bool = False) -> list[Moment]:
    """What may happen to one person in five months, with late and doubtful events among it."""
    life = [
        moment(
            wire.CustomerCreated(
                segment=rng.choice(("vip", None)), email_consent=rng.choice((True, False, None)),
                tz=rng.choice((*ZONES, None)),
            ),
            NOON,
            personal=Personal((rng.randint(1, 12), rng.randint(1, 28)), frozenset({"email"})),
            historical=is_history,
        )
    ]  # fmt: skip
    if rng.random() < 0.8:
        life.append(moment(wire.ConsentGranted(purpose="marketing"), NOON, historical=is_history))
    at, pace = NOON, rng.choice(((0, 5, 60, 300), (5, 300, 1_440), (60, 1_440, 4_000, 20_000)))
    for number in range(size):
        at += timedelta(minutes=rng.choice(pace))
        data, channel = _something(rng)
        late = timedelta(hours=rng.choice((1, 30, 100))) if rng.random() < 0.1 else timedelta(0)
        life.append(
            moment(
                data,
                at,
                name=f"{number}",
                recorded=at + late,
                channel=channel,
                historical=is_history or rng.random() < 0.03,
            )
        )
    return life


def delivered(life: Sequence[Moment], rng: Random) -> list[Moment]:
    """In any order, some of it twice."""
    came = [*life, *(one for one in life if rng.random() < 0.3)]
    rng.shuffle(came)
    return came


def _something(rng: Random) -> tuple[wire.Data, str | None]:
    order, ticket, cart = (f"{kind}{rng.randint(1, 4)}" for kind in "otc")
    kinds: Mapping[str, tuple[float, wire.Data]] = {
        "order": (5, wire.OrderPlaced(order=f"o{rng.randint(1, 9)}", amount=100, currency="EUR")),
        "refund": (2, wire.OrderRefunded(order=order, refund=rng.choice("rs"), amount=60)),
        "cancel": (0.5, wire.OrderCancelled(order=order)),
        "ship": (1, wire.OrderShipped(order=order)),
        "delay": (1, wire.ShipmentDelayed(order=order)),
        "deliver": (2, wire.OrderDelivered(order=order)),
        "cart": (5, wire.CartUpdated(cart=cart, value=rng.choice((0, 500)))),
        "checkout": (1, wire.CheckoutStarted(cart=cart)),
        "view": (2, wire.ProductViewed(product="p")),
        "ticket": (2, wire.TicketCreated(ticket=ticket, priority=rng.choice(("high", None)))),
        "reply": (2, wire.TicketMessage(ticket=ticket, direction="out", bot=rng.random() < 0.3)),
        "ask": (1, wire.TicketMessage(ticket=ticket, direction="in")),
        "solve": (4, wire.TicketResolved(ticket=ticket)),
        "reopen": (2, wire.TicketReopened(ticket=ticket)),
        "call": (1, wire.CallOffered(call=f"k{rng.randint(1, 9)}")),
        "nps": (2, wire.SurveyResponded(survey=f"v{rng.randint(1, 6)}", kind="nps", score=rng.randint(0, 10))),  # noqa: E501
        "csat": (1, wire.SurveyResponded(survey=f"w{rng.randint(1, 6)}", kind="csat", score=rng.randint(1, 5))),  # noqa: E501
        "yes": (1, wire.ConsentGranted(purpose="marketing", channel=rng.choice(("email", None)))),
        "no": (1, wire.ConsentWithdrawn(purpose="marketing", channel=rng.choice(("email", None)))),
        "move": (1, wire.PreferenceChanged(tz=rng.choice(ZONES))),
        "sleep": (0.5, wire.PreferenceChanged(quiet_hours=rng.choice(("22:00-06:30", "01:00-05:00")))),  # noqa: E501
        "risk": (1, wire.ScoreUpdated(score="churn_risk", value=rng.random())),
        "worth": (0.5, wire.ScoreUpdated(score="clv", value=60_000.0)),
        "points": (0.5, wire.PointsEarned(points=50)),
    }  # fmt: skip
    name = rng.choices(list(kinds), [weight for weight, _ in kinds.values()])[0]
    channel = rng.choice(("email", "chat", "phone")) if name in ("ticket", "ask") else None
    return kinds[name][1], channel

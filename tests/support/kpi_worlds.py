"""Small random worlds of events of all families, for properties of the metrics.

Few names, few days and round hours, so that things collide: the same instant, a window's very
edge, a ticket that two people created, an answer before its question.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Final, TypeAlias

from rapport_events import wire
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.instants import DAY, HOUR, instant
from rapport_metrics.domain.told import By

START: Final = instant(datetime(2026, 1, 5, tzinfo=UTC))
PEOPLE: Final = ("ann", "bob", "cid", "dot")
DAYS: Final = 24

Make: TypeAlias = Callable[[Random], wire.Data]


def a_world(rng: Random, size: int) -> list[Happening]:
    """Events with different keys, in no particular order; a smaller one is the beginning of it."""
    world: list[Happening] = []
    merges: list[str] = []
    for number in range(size):
        key = number.to_bytes(2, "big")
        data = rng.choice(_MAKERS)(rng)
        if isinstance(data, wire.CustomerMerged):
            merges.append(key.hex())
        if isinstance(data, wire.CustomerUnmerged):
            data = wire.CustomerUnmerged(merge_event_id=rng.choice(merges or ["ffff"]))
        world.append(Happening(_by(rng, key, data), data))
    return world


def delivered(world: Iterable[Happening], rng: Random) -> Iterator[list[Happening]]:
    """The world as a log may deliver it: in any order, some of it again, in batches of any size.

    What was seen already is dropped, as the consume loop does by event key.
    """
    once = list(world)
    told = once + [one for one in once if rng.random() < 0.3]
    rng.shuffle(told)
    seen: set[bytes] = set()
    batch: list[Happening] = []
    for one in told:
        if one.by.key not in seen:
            seen.add(one.by.key)
            batch.append(one)
        if batch and rng.random() < 0.2:
            yield batch
            batch = []
    yield batch


def by_partition(world: Sequence[Happening], rng: Random, count: int) -> Iterator[list[Happening]]:
    """Each partition's batches, in its order; which of them is next is up to chance."""
    queues: list[list[Happening]] = [[] for _ in range(count)]
    for one in world:
        place = 0 if one.by.subject is None else PEOPLE.index(one.by.subject)
        queues[place % count].append(one)
    while waiting := [place for place in range(count) if queues[place]]:
        place = rng.choice(waiting)
        taken = rng.randint(1, 5)
        yield queues[place][:taken]
        del queues[place][:taken]


def _by(rng: Random, key: bytes, data: wire.Data) -> By:
    at = START + rng.randrange(DAYS) * DAY + rng.choice((0, 0, 1, 4, 8)) * HOUR
    identity = wire.CustomerMerged | wire.CustomerErased | wire.CustomerCreated
    subject = rng.choice(PEOPLE)
    if not isinstance(data, identity) and rng.random() < 0.1:
        return By(at, key, _channel(rng))
    return By(at, key, _channel(rng), subject)


def _channel(rng: Random) -> str | None:
    return rng.choice(("email", "chat", "phone", "web", None))


def _name(rng: Random, kind: str) -> str:
    return f"{kind}{rng.randrange(3)}"


def _agent(rng: Random) -> str | None:
    return rng.choice(("kim", "lee", None))


def _ticket_created(rng: Random) -> wire.Data:
    return wire.TicketCreated(
        ticket=_name(rng, "t"),
        topic=rng.choice(("billing", None)),
        priority=rng.choice(("urgent", "low", None)),
    )


def _ticket_message(rng: Random) -> wire.Data:
    return wire.TicketMessage(
        ticket=_name(rng, "t"),
        direction=rng.choice(("in", "out")),
        agent=_agent(rng),
        bot=rng.choice((True, None, None)),
        public=rng.choice((False, None, True)),
        sentiment=rng.choice((-50, 10, None)),
    )


def _ticket_resolved(rng: Random) -> wire.Data:
    return wire.TicketResolved(ticket=_name(rng, "t"), agent=_agent(rng))


def _ticket_reopened(rng: Random) -> wire.Data:
    return wire.TicketReopened(ticket=_name(rng, "t"))


def _ticket_pending(rng: Random) -> wire.Data:
    return wire.TicketPending(ticket=_name(rng, "t"))


def _call_offered(rng: Random) -> wire.Data:
    return wire.CallOffered(
        call=_name(rng, "c"),
        topic=rng.choice(("billing", None)),
        direction=rng.choice(("in", None, None, "out")),
    )


def _call_answered(rng: Random) -> wire.Data:
    return wire.CallAnswered(call=_name(rng, "c"), wait=rng.choice((0, 20, 21)))


def _call_abandoned(rng: Random) -> wire.Data:
    return wire.CallAbandoned(call=_name(rng, "c"), wait=rng.choice((4, 5, 60)))


def _call_leg_ended(rng: Random) -> wire.Data:
    return wire.CallLegEnded(
        call=_name(rng, "c"),
        leg=rng.choice((1, 1, 2, None)),
        agent=_agent(rng),
        talk=rng.randrange(1_000),
        wrap=rng.choice((30, None)),
        transferred=rng.choice((True, None, None)),
        ticket=rng.choice((None, _name(rng, "t"))),
    )


def _survey_sent(rng: Random) -> wire.Data:
    name = _name(rng, "v")
    return wire.SurveySent(
        survey=name, kind=_KINDS[name], about=rng.choice(("relationship", "service", None))
    )


def _survey_responded(rng: Random) -> wire.Data:
    name = _name(rng, "v")
    return wire.SurveyResponded(
        survey=name,
        kind=_KINDS[name],
        revision=rng.choice((None, 1, 2, 3)),
        score=rng.choice((1, 3, 4, 5, None)) if name != "v0" else rng.choice((0, 6, 7, 9, 10)),
    )


def _order_placed(rng: Random) -> wire.Data:
    amount = rng.choice((1_000, 2_500, None))
    return wire.OrderPlaced(order=_name(rng, "o"), amount=amount, currency="EUR")


def _order_refunded(rng: Random) -> wire.Data:
    order, refund = _name(rng, "o"), rng.choice(("r0", "r1", None))
    amount = rng.choice((400, 1_000, 9_999, None))
    currency = _REFUNDED_IN.get((refund, amount))
    return wire.OrderRefunded(order=order, refund=refund, amount=amount, currency=currency)


def _subscription(rng: Random) -> wire.Data:
    name, amount = _name(rng, "p"), rng.choice((0, 900, None))
    kind = rng.choice((wire.SubscriptionStarted, wire.SubscriptionRenewed, wire.SubscriptionEnded))
    return kind(subscription=name, amount=amount)


def _help_viewed(rng: Random) -> wire.Data:
    return wire.HelpViewed(session=rng.choice(("h0", "h1", None)), article="returns")


def _customer_created(rng: Random) -> wire.Data:
    return wire.CustomerCreated(segment=rng.choice(("vip", "new", None)))


def _customer_merged(rng: Random) -> wire.Data:
    return wire.CustomerMerged(from_subject=rng.choice(PEOPLE))


def _customer_unmerged(_: Random) -> wire.Data:
    return wire.CustomerUnmerged(merge_event_id="")


def _customer_erased(_: Random) -> wire.Data:
    return wire.CustomerErased()


_REFUNDED_IN: Final = {
    ("r0", 400): "EUR",
    ("r1", 400): "JPY",
    (None, 1_000): "JPY",
    (None, None): "JPY",
}
"""Not drawn, so that a seed stays the world that it was; orders are in EUR."""

_KINDS: Final = {"v0": "nps", "v1": "csat", "v2": "ces"}
_MAKERS: Final[tuple[Make, ...]] = (
    *(_ticket_created, _ticket_created, _ticket_message, _ticket_resolved, _ticket_resolved),
    *(_ticket_reopened, _ticket_pending, _call_offered, _call_offered, _call_answered),
    *(_call_answered, _call_abandoned, _call_leg_ended, _survey_sent, _survey_responded),
    *(_survey_responded, _order_placed, _order_placed, _order_refunded, _help_viewed),
    *(_customer_created, _customer_merged, _customer_merged, _customer_unmerged),
    *(_customer_erased, _subscription, _subscription),
)

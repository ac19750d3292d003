"""What the people of both arms spent in the time for the goal (kpis.md 6.5)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from rapport_personalization.domain.lift import Verdict, judge
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.orders import Order, OrderEvent, take
from rapport_personalization.domain.revenue import Sums, Welch, welch

EVENTS: Final = frozenset({"order.placed.v1", "order.cancelled.v1", "order.refunded.v1"})


class Revenue(NamedTuple):
    """In one currency, in minor units. Whoever spent nothing is one of the people as well."""

    currency: str
    treated: Sums
    control: Sums
    welch: Welch | None
    verdict: Verdict
    reason: str


class Spending:
    """Sums of both arms: additive over people, and nobody's own figure is kept."""

    def __init__(self) -> None:
        self._people: dict[str, int] = defaultdict(int)
        self._sums: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))

    def add(self, arm: str, spent: Mapping[str, int]) -> None:
        """One person, with what they spent by currency."""
        self._people[arm] += 1
        for currency, amount in spent.items():
            self._grow(arm, currency, amount, amount * amount)

    def __iadd__(self, other: "Spending") -> "Spending":
        for arm, people in other._people.items():
            self._people[arm] += people
        for (arm, currency), (total, squares) in other._sums.items():
            self._grow(arm, currency, total, squares)
        return self

    def compare(self, planned: int | None = None) -> list[Revenue]:
        """By currency: sums in different money are not added."""
        return [self._revenue(one, planned) for one in sorted({key[1] for key in self._sums})]

    def _revenue(self, currency: str, planned: int | None) -> Revenue:
        treated, control = (
            Sums(self._people.get(arm, 0), *self._sums.get((arm, currency), (0, 0)))
            for arm in ("treated", "control")
        )
        found = welch(treated, control)
        p, difference = (None, 0.0) if found is None else (found.p, found.difference)
        people = min(treated.people, control.people)
        return Revenue(currency, treated, control, found, *judge(people, p, difference, planned))

    def _grow(self, arm: str, currency: str, total: int, squares: int) -> None:
        before = self._sums[arm, currency]
        self._sums[arm, currency] = (before[0] + total, before[1] + squares)


def spent(
    sends: Iterable[datetime], within: timedelta, moments: Sequence[Moment]
) -> Mapping[str, int]:
    """By currency, net of what came back until now, of the orders placed in (send, send + within].

    Two decisions about one person may be near each other: an order in both times counts once.
    """
    orders: dict[str, Order] = {}
    for moment in sorted(moments, key=lambda one: one.order):
        if isinstance(moment.data, OrderEvent):
            name = moment.data.order or moment.key.hex()
            take(orders, name, moment.data, moment)
    windows, found = list(sends), defaultdict[str, int](int)
    for order in orders.values():
        if order.placed is None or not order.is_standing or order.currency is None:
            continue
        at = order.placed.at
        if any(send < at <= send + within for send in windows):
            found[order.currency] += order.net
    return found

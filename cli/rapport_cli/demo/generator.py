"""All traffic of the demo, from a seed: the same arguments make the same events, id by id."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from rapport_cli.demo import crowd, household, mishaps, stories
from rapport_cli.demo.saying import Call, Fact, Said
from rapport_cli.demo.script import Script

_SAID_TWICE: Final = 0.01
_TOLD_TWICE: Final = frozenset({"order.placed.v1", "ticket.created.v1"})
"""What Ada's shop and help desk repeat, because the answer to the first attempt got lost."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is sent, in this order. What is sent twice stands here twice."""

    said: Sequence[Said]
    start: datetime
    end: datetime

    def good(self, customer: str) -> dict[str, Said]:
        """By id: what has to arrive of a customer, once."""
        return {one.id: one for one in self.said if one.customer == customer and not one.refused}

    def facts(self, type_: str) -> list[Fact]:
        """What other systems tell of this type and has to arrive, each once, by time."""
        said = {one.id: one for one in self.said if one.type == type_ and not one.refused}
        return sorted((one for one in said.values() if isinstance(one, Fact)), key=_at)

    def types(self, customer: str) -> Counter[str]:
        """How many events of each type a customer's history has to have."""
        return Counter(one.type for one in self.good(customer).values())

    def users(self) -> dict[str, str]:
        """By customer: the user id of everybody who signed up."""
        calls = (one for one in self.said if isinstance(one, Call))
        return {one.customer: one.user for one in calls if one.user is not None}

    def refused(self) -> dict[str, str]:
        """By id: the code for which quarantine has to hold it."""
        return {one.id: one.refused for one in self.said if one.refused is not None}

    @property
    def repeated(self) -> int:
        return len(self.said) - len({one.id for one in self.said})

    @property
    def late(self) -> int:
        """Events that were told later than they happened, repetitions left aside."""
        first = {one.id: one for one in reversed(self.said)}
        return sum(one.sent > one.at for one in first.values())


def make_traffic(*, seed: int, customers: int, days: int, end: datetime) -> Traffic:
    """The named customers and a crowd, over the `days` before `end`; later is left out."""
    world = uuid5(NAMESPACE_URL, f"https://rapport.example/demo/{seed}/{end.isoformat()}")
    start = end - timedelta(days=days)
    scripts = [
        *_named(world, end),
        *(crowd.live(number, seed, start, end, world) for number in range(customers)),
    ]
    said = [one for script in scripts for one in script.said if one.at <= end]
    random = Random(seed)  # noqa: S311  # a story, not a secret
    sent = [*said, *_repetitions(said, random)]
    sent.sort(key=lambda one: (min(one.sent, end), one.at, one.id))
    return Traffic(sent, start, end)


def _named(world: UUID, end: datetime) -> list[Script]:
    people = (*stories.NAMED, household.FAY, household.GUS)
    ada, ben, cleo, fay, gus = scripts = [Script(person, world) for person in people]
    when = stories.days_before(end)
    stories.ada(ada, when, end)
    stories.ben(ben, when)
    stories.cleo(cleo, when, end)
    household.fay(fay, when)
    household.gus(gus, when)
    mishaps.slip(ben, when(4, 12, 0))
    return scripts


def _repetitions(said: Iterable[Said], random: Random) -> Iterable[Said]:
    """The same events again, an hour later, with the same ids."""
    for one in said:
        by_ada = one.customer == stories.ADA.key and one.type in _TOLD_TWICE
        if not one.refused and (by_ada or random.random() < _SAID_TWICE):
            yield replace(one, sent=one.sent + timedelta(hours=1))


def _at(said: Said) -> datetime:
    return said.at

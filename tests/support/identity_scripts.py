"""Random lives of people who are linked, merged, taken apart again, and go on living meanwhile."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from rapport_events.envelope import Record
from rapport_profile.domain.identity import link_id

from tests.support.events import NOON, happened, told_again

KINDS = ("user_id", "user_id", "email", "phone", "anonymous_id")

_HAPPENINGS: tuple[tuple[str, str | None, dict[str, Any]], ...] = (
    ("page.viewed", "web", {"page": "home"}),
    ("help.viewed", "app", {"article": "a"}),
    ("order.placed", "web", {"order": "o", "amount": 900, "currency": "EUR"}),
    ("order.refunded", "web", {"order": "o", "refund": "r", "amount": 900}),
    ("return.requested", "web", {"order": "o", "return": "x"}),
    ("order.placed", "store", {"order": "p", "amount": 100, "currency": "EUR"}),
    ("ticket.created", "email", {"ticket": "t", "topic": "delivery"}),
    ("ticket.resolved", "email", {"ticket": "t", "agent": "ana"}),
    ("ticket.reopened", "email", {"ticket": "t"}),
    ("call.offered", "phone", {"call": "c"}),
    ("points.earned", "app", {"points": 5}),
    ("tier.changed", None, {"after": "gold"}),
    ("consent.granted", None, {"channel": "email", "purpose": "marketing"}),
    ("lifecycle.stage_changed", None, {"after": "active"}),
)


class Script(NamedTuple):
    """One arrival of events, with merges that are all taken back, and without them."""

    merged: list[list[Record]]
    """Batches."""
    never: list[list[Record]]


class _World:
    """Random people; ids are a function of the chance, so that two runs tell the same bytes."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.name = f"{chance.getrandbits(64):016x}"
        self.number = 0
        self.kinds = {
            str(UUID(int=chance.getrandbits(128), version=4)): chance.choice(KINDS)
            for _ in range(chance.randint(2, 6))
        }
        self.subjects = list(self.kinds)

    def event(self, type_: str, subject: str, *others: str, **told: Any) -> Record:  # noqa: ANN401
        self.number += 1
        time = NOON + timedelta(minutes=self.chance.randrange(1_000))
        lag = timedelta(minutes=self.chance.choice([0, 0, 0, 700]))
        kinds = self.chance.random() < 0.9 or None
        return happened(
            type_,
            subject,
            time,
            told=time + lag,
            event_id=f"{self.name}-{self.number}",
            linked=",".join(others) or None,
            identifiedby=kinds and ",".join(self.kinds[one] for one in (subject, *others)),
            **told,
        )

    def two(self) -> tuple[str, str]:
        one, other = self.chance.sample(self.subjects, 2)
        return one, other

    def happening(self) -> Record:
        type_, channel, fields = self.chance.choice(_HAPPENINGS)
        subject, *others = self.chance.sample(self.subjects, self.chance.choice([1, 1, 1, 2]))
        return self.event(type_, subject, *others, channel=channel, fields=fields)

    def alias(self) -> Record:
        new, old = self.two()
        return self.event("customer.aliased", new, old, fields={"previous_subject": old})

    def merge_and_unmerge(self) -> list[Record]:
        kept, *absorbed = self.chance.sample(
            self.subjects, self.chance.randint(2, min(3, len(self.subjects)))
        )
        merge = self.event(
            "customer.merged", kept, *absorbed, source="/crm", from_subject=absorbed[0]
        )
        source = self.chance.choice(["/crm", "/desk"])
        named = {"merge_event_id": merge.envelope.id, "merge_source": "/crm"}
        if source == "/crm":
            del named["merge_source"]
        unmerges = [
            self.event("customer.unmerged", kept, source=source, fields=named)
            for _ in range(self.chance.choice([1, 1, 2]))
        ]
        return [merge, *unmerges]

    def unlink(self, record: Record) -> tuple[list[Record], Record]:
        """Unmerges of what an event links, and the event as if it had linked nothing."""
        subject = record.envelope.subject or ""
        unmerges = [
            self.event(
                "customer.unmerged",
                subject,
                fields={
                    "merge_event_id": link_id(subject, other),
                    "merge_source": "/rapport/profile",
                },
            )
            for other in record.envelope.linked_subjects
        ]
        alone = msgspec.structs.replace(record.envelope, linked=None, identifiedby=None)
        return unmerges, msgspec.structs.replace(record, envelope=alone)


def a_script(chance: random.Random, length: int = 14) -> Script:
    """Ordinary events in random order, late and repeated; merges and unmerges anywhere between."""
    world = _World(chance)
    ordinary = [world.happening() for _ in range(chance.randint(2, length))]
    ordinary += [world.alias() for _ in range(chance.choice([0, 0, 1]))]
    passing = [r for _ in range(chance.randint(1, 3)) for r in world.merge_and_unmerge()]
    instead: dict[bytes, Record] = {}
    links = [
        r for r in ordinary if r.envelope.linked and not r.envelope.type.endswith("aliased.v1")
    ]
    if links and chance.random() < 0.5:
        passing += _take_back(world, links, chance.choice(links), instead)
    arrival = ordinary + passing
    arrival += map(told_again, chance.sample(arrival, chance.randint(0, 4)))
    chance.shuffle(arrival)
    gone = {record.key for record in passing}
    never = [instead.get(r.key, r) for r in arrival if r.key not in gone]
    return Script(batches(chance, arrival), batches(chance, never))


def _take_back(
    world: _World, links: Sequence[Record], one: Record, instead: dict[bytes, Record]
) -> list[Record]:
    """Unmerges a link of some pair, which others may have told as well."""
    unmerges, _ = world.unlink(one)
    pair = {one.envelope.subject, *one.envelope.linked_subjects}
    for record in links:
        if {record.envelope.subject, *record.envelope.linked_subjects} == pair:
            instead[record.key] = world.unlink(record)[1]
    return unmerges


def batches(chance: random.Random, arrival: Sequence[Record]) -> list[list[Record]]:
    """The arrival cut at random places."""
    found: list[list[Record]] = []
    rest = list(arrival)
    while rest:
        size = chance.choice([1, 2, 3, 5, 20])
        found.append(rest[:size])
        del rest[:size]
    return found

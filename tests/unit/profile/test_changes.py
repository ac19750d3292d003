"""What differs between two profiles is explained by the events between them."""

import random
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import rapport_events
from hypothesis import given as for_any
from hypothesis import strategies as st
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile.domain.changes import PARTS, Watch, changes
from rapport_profile.domain.fold import Fact, fold
from rapport_profile.domain.state import Profile, pack, unpack
from rapport_profile.views import changes as views

from tests.support.events import NOON, days, happened, new_subject, record_of

ADA = new_subject()

EXAMPLES = sorted((Path(rapport_events.__file__).parent / "examples").glob("*/log.json"))


def fact(record: Record) -> Fact:
    return record, decode_data(record.envelope)


def after(facts: list[Fact]) -> Profile:
    return fold(Profile(), facts)


def every_event() -> list[Fact]:
    """One event of each type of the catalogue, then a life in which things are begun and ended."""
    return [fact(record_of(path.read_bytes())) for path in EXAMPLES] + a_life(random.Random(7), 200)


def a_life(chance: random.Random, length: int) -> list[Fact]:
    """Events about a handful of things, so that most of them meet one that is there."""
    found = []
    for number in range(length):
        at = NOON + timedelta(hours=number)
        found.append(fact(_happening(chance, str(chance.randrange(2)), at)))
    return found


def _happening(chance: random.Random, name: str, at: datetime) -> Record:
    type_, thing = chance.choice(
        [
            ("order.placed", "order"), ("order.refunded", "order"), ("order.delivered", "order"),
            ("ticket.created", "ticket"), ("ticket.resolved", "ticket"),
            ("ticket.reopened", "ticket"), ("call.offered", "call"), ("call.answered", "call"),
            ("note.added", "note"), ("note.edited", "note"), ("note.removed", "note"),
            ("task.created", "task"), ("task.completed", "task"), ("task.assigned", "task"),
            ("commitment.made", "commitment"), ("commitment.kept", "commitment"),
            ("subscription.started", "subscription"), ("subscription.ended", "subscription"),
            ("page.viewed", "page"), ("points.earned", "points"), ("tier.changed", "after"),
        ]
    )  # fmt: skip
    value = chance.randrange(1, 9) if thing == "points" else name
    channel = chance.choice(["web", "email", None])
    return happened(type_, ADA, at, channel=channel, fields={thing: value})


def test_whatever_an_event_changes_it_touches() -> None:
    profile, watch = Profile(), Watch()
    for one in every_event():
        before = unpack(pack(profile))
        fold(profile, [one])

        changed = {change.item for change in changes(before, profile)}

        assert changed <= watch.touched(one), one[0].envelope.type


@for_any(st.randoms(use_true_random=False), st.integers(0, 60))
def test_every_difference_has_an_event_between_the_moments(
    chance: random.Random, earlier: int
) -> None:
    life = a_life(chance, 60)

    found = list(changes(after(life[:earlier]), after(life)))

    watch = Watch()
    explained = {item for one in life[earlier:] for item in watch.touched(one)}
    assert {change.item for change in found} <= explained


def test_nothing_differs_from_itself() -> None:
    life = every_event()

    assert list(changes(after(life), after(life))) == []


def test_a_value_said_again_is_no_difference_and_another_one_is() -> None:
    said = [
        fact(happened("tier.changed", ADA, NOON + days(day), after=tier))
        for day, tier in enumerate(("gold", "gold", "silver"))
    ]

    found = [
        [change.item.name for change in changes(after([one]), after([one, other]))]
        for one, other in pairwise(said)
    ]

    assert found == [["tier.changed.v1"], ["tier.changed.v1", "tier"]]


def test_a_removed_note_is_not_there_any_more() -> None:
    added = fact(happened("note.added", ADA, note="n", pinned=True))
    removed = fact(happened("note.removed", ADA, NOON + days(1), note="n"))

    (note,) = [
        c for c in changes(after([added]), after([added, removed])) if c.item.part == "notes"
    ]

    assert note.before is not None
    assert note.after is None


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_a_profile_can_be_shown(part: str) -> None:
    kinds = {type(item) for item in getattr(after(every_event()), part).values()}

    assert kinds
    assert kinds <= views.SHOWN


def test_sides_may_be_exchanged() -> None:
    life = a_life(random.Random(3), 40)
    one, other = after(life[:20]), after(life)

    forth, back = list(changes(one, other)), list(changes(other, one))

    assert [(c.item, c.before, c.after) for c in forth] == [
        (c.item, c.after, c.before) for c in back
    ]

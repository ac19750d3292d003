"""Any life, any moment: the past is the fold of what had happened, or of what was known."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis import given as for_any
from hypothesis import strategies as st
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile import edges, queries
from rapport_profile.domain.fold import fold
from rapport_profile.domain.identity import Limits, partition
from rapport_profile.domain.state import Profile, pack
from rapport_profile.history import When, load_history, load_past

from tests.support.events import NOON, days, happened, new_subject
from tests.support.profile_house import House

_HAPPENINGS: list[tuple[str, str | None, dict[str, Any]]] = [
    ("page.viewed", "web", {"page": "home"}),
    ("page.viewed", "web", {"page": "faq"}),
    ("page.viewed", "app", {"page": "home"}),
    ("page.viewed", None, {"page": "home"}),
    ("order.placed", "web", {"order": "o", "amount": 900, "currency": "EUR"}),
    ("order.refunded", None, {"order": "o", "refund": "r", "amount": 900}),
    ("ticket.created", "email", {"ticket": "t", "topic": "delivery"}),
    ("ticket.resolved", "email", {"ticket": "t", "agent": "ana"}),
    ("ticket.reopened", "email", {"ticket": "t"}),
    ("note.added", None, {"note": "n", "pinned": True}),
    ("note.removed", None, {"note": "n"}),
    ("points.earned", "app", {"points": 5}),
    ("tier.changed", "app", {"after": "gold"}),
]


class Life(NamedTuple):
    """What happened to some people, in the order in which it was heard of."""

    subjects: Sequence[str]
    batches: Sequence[Sequence[Record]]

    @property
    def records(self) -> list[Record]:
        return [record for batch in self.batches for record in batch]


def heard(batch: int) -> datetime:
    """When the events of this batch were recorded: one batch a minute, long after NOON."""
    return NOON + days(30) + timedelta(minutes=batch)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Events of three subjects, told late as often as not; some link, merge and unmerge them."""
    chance = draw(st.randoms(use_true_random=False))
    subjects = [new_subject() for _ in range(3)]
    merges: list[str] = []
    size = draw(st.integers(1, 7))
    records = [
        _event(chance, subjects, merges, heard(number // size))
        for number in range(draw(st.integers(4, 16)))
    ]
    return Life(subjects, [records[start : start + size] for start in range(0, len(records), size)])


def _event(
    chance: random.Random, subjects: Sequence[str], merges: list[str], told: datetime
) -> Record:
    one, other = chance.sample(list(subjects), 2)
    at = chance.choice([told, NOON + timedelta(hours=chance.randrange(600))])
    lot = chance.random()
    if lot < 0.1:
        merges.append(str(uuid4()))
        return happened(
            "customer.merged", one, at, told=told, event_id=merges[-1], from_subject=other
        )
    if lot < 0.2 and merges:
        taken_back = chance.choice(merges)
        return happened("customer.unmerged", one, at, told=told, merge_event_id=taken_back)
    linked = other if lot < 0.3 else None
    type_, channel, fields = chance.choice(_HAPPENINGS)
    return happened(type_, one, at, told=told, linked=linked, channel=channel, fields=fields)


def folded(records: Sequence[Record]) -> bytes:
    ordered = sorted(records, key=lambda record: record.order)
    return pack(fold(Profile(), [(record, decode_data(record.envelope)) for record in ordered]))


async def live(house: House, subjects: Sequence[str]) -> dict[str, tuple[list[str], bytes]]:
    """Subject to the members and the state of its person, as stored at this moment."""
    pool = house.app.state.library.pool
    rows = await pool.fetch(
        "SELECT named.subject_id::text, coalesce(root.members, ARRAY[root.subject_id])::text[],"
        " root.state FROM profile named JOIN profile root"
        " ON root.subject_id = coalesce(named.merged_into, named.subject_id)"
        " WHERE named.subject_id = ANY($1::text[]::uuid[])",
        list(subjects),
    )
    return {subject: (members, state or pack(Profile())) for subject, members, state in rows}


async def past(
    snap: "asyncpg.Connection[asyncpg.Record]", subject: str, when: When
) -> tuple[list[str], bytes]:
    cluster = await edges.load_cluster(snap, [subject])
    members = partition(cluster, Limits(), when.known_at).person_of(subject)
    return list(members), pack((await load_past(snap, members, when)).profile)


any_life = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@any_life
@for_any(lives())
async def test_what_was_known_is_what_the_service_showed_then(house: House, life: Life) -> None:
    shown = []
    for batch in life.batches:
        await house.tell(*batch)
        shown.append((batch[-1].envelope.recordedtime, await live(house, life.subjects)))

    async with queries.snapshot(house.app.state.library.pool) as snap:
        for known_at, people in shown:
            for subject, then in people.items():
                assert await past(snap, subject, When(known_at=known_at)) == then


@any_life
@for_any(lives(), st.integers(0, 800))
async def test_a_moment_is_the_fold_of_what_had_happened_by_then(
    house: House, life: Life, hours: int
) -> None:
    for batch in life.batches:
        await house.tell(*batch)
    moment = NOON + timedelta(hours=hours)
    newest = max(record.envelope.time for record in life.records)

    async with queries.snapshot(house.app.state.library.pool) as snap:
        for subject, (members, state) in (await live(house, life.subjects)).items():
            own = [record for record in life.records if record.envelope.subject in members]
            by_then = [record for record in own if record.envelope.time <= moment]
            loaded = await load_history(snap, members, as_of=moment)

            assert await past(snap, subject, When(as_of=moment)) == (members, folded(by_then))
            assert sorted(record.key for record, _ in loaded) == sorted(
                record.key for record in by_then
            )
            assert await past(snap, subject, When(as_of=newest)) == (members, state)


async def test_now_is_the_view_that_needs_no_moment(house: House) -> None:
    ada = new_subject()
    chance = random.Random(5)
    await house.tell(*[
        happened(type_, ada, NOON + days(chance.random() * 90), channel=channel, fields=fields)
        for type_, channel, fields in chance.choices(_HAPPENINGS, k=60)
    ])  # fmt: skip

    now = await house.read(f"/v1/profiles/{ada}")
    moment = datetime.now(UTC).isoformat()
    then = await house.read(f"/v1/profiles/{ada}?as_of={moment}&known_at={moment}")

    for answer in (now, then):
        del answer["meta"]
    assert then == now

"""Nothing of an erased person is kept, and nothing returns, whatever arrives when."""

import asyncio
import random
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import pytest
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS
from rapport_profile.domain.identity import link_id
from rapport_profile.domain.state import unpack
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.events import NOON, days, happened, new_subject, told_again
from tests.support.identity_memory import Picture, naive_picture
from tests.support.identity_rows import project, project_together, stored_picture
from tests.support.identity_scripts import a_script, batches

_SEALED = {"v": 1, "kid": new_subject(), "n": "AAAA", "c": "AAAA"}
TABLES = ("timeline", "reference", "facet", "name_prefix")


def erased(subject: str, certificate: str = "c-1") -> Record:
    record = happened(
        "customer.erased", subject, NOON + days(1), certificate_id=certificate, keys_destroyed=1
    )
    return msgspec.structs.replace(record, topic=CUSTOMERS.name)


async def rows(engine: AsyncEngine, query: str, **values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query), values)]


async def traces(engine: AsyncEngine, subject: str) -> dict[str, int]:
    """Rows that are left of a subject; its tombstone and certificate apart."""
    found = {}
    for table in TABLES:
        counted = await rows(
            engine,
            f"SELECT count(*) FROM {table} WHERE subject_id = cast(:s AS uuid)",  # noqa: S608
            s=subject,
        )
        found[table] = counted[0][0]
    edges = "SELECT count(*) FROM identity_edge WHERE cast(:s AS uuid) IN (a, b)"
    found["identity_edge"] = (await rows(engine, edges, s=subject))[0][0]
    states = """
        SELECT count(*) FROM profile
        WHERE subject_id = cast(:s AS uuid) AND num_nonnulls(state, members, merged_into) > 0
            OR cast(:s AS uuid) = ANY(members) OR merged_into = cast(:s AS uuid)
    """
    found["profile"] = (await rows(engine, states, s=subject))[0][0]
    return {table: count for table, count in found.items() if count}


def a_customer() -> tuple[str, str, list[Record]]:
    """A user with a tablet, and what they did."""
    user, tablet = new_subject(), new_subject()
    return user, tablet, [
        happened("customer.created", user, linked=tablet, segment="vip", pii=_SEALED),
        happened("order.placed", tablet, NOON + days(0.1), order="o", amount=5, currency="EUR"),
        happened("ticket.created", user, NOON + days(0.2), ticket="t"),
    ]  # fmt: skip


async def test_an_erasure_deletes_everything_and_counts_it(engine: AsyncEngine) -> None:
    user, tablet, life = a_customer()
    await project(engine, life)

    await project(engine, [erased(user), erased(tablet)])

    assert await traces(engine, user) == await traces(engine, tablet) == {}
    assert await rows(engine, "SELECT count(*) FROM name_queue") == [(0,)]
    buried = await rows(
        engine, "SELECT subject_id::text FROM profile WHERE erased_at IS NOT NULL ORDER BY 1"
    )
    assert [subject for (subject,) in buried] == sorted((user, tablet))
    certified = {
        subject: (certificate, counts)
        for subject, certificate, counts in await rows(
            engine, "SELECT subject_id::text, certificate_id, counts FROM purge"
        )
    }
    assert certified[user][0] == "c-1"
    assert certified[user][1]["timeline"] == 2
    assert certified[tablet][1]["timeline"] == certified[tablet][1]["reference"] == 1
    assert certified[user][1]["identity_edge"] == 1


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_nothing_returns_whatever_order_the_topics_are_read_in(
    engine: AsyncEngine, size: int
) -> None:
    chance = random.Random(size)
    for _ in range(6):
        user, tablet, life = a_customer()
        link = {"merge_event_id": link_id(user, tablet), "merge_source": "/rapport/profile"}
        told = [
            *life,
            erased(user),
            erased(tablet),
            happened("customer.unmerged", user, fields=link),
            happened("customer.merged", tablet, from_subject=user),
            *map(told_again, life),
        ]
        chance.shuffle(told)

        for start in range(0, len(told), size):
            await project(engine, told[start : start + size])
        await project(engine, [told_again(record) for record in told])

        assert await traces(engine, user) == await traces(engine, tablet) == {}
    tombstones = await rows(engine, "SELECT count(*) FROM profile WHERE erased_at IS NOT NULL")
    assert tombstones == [(12,)]


async def test_who_is_left_is_as_if_the_erased_one_had_never_been_there(
    engine: AsyncEngine,
) -> None:
    for seed in range(300, 315):
        chance = random.Random(seed)
        script = a_script(chance, length=20)
        told = [record for batch in script.merged for record in batch]
        named = {s for r in told for s in (r.envelope.subject, *r.envelope.linked_subjects)}
        who = sorted(subject for subject in named if subject)
        gone = chance.sample(who, chance.randint(1, 2))
        told += [erased(subject) for subject in gone for _ in range(chance.randint(1, 2))]
        chance.shuffle(told)

        await project_together(engine, batches(chance, told), chance.randint(1, 3), chance)

        found = await stored_picture(engine, who)
        assert _people(found) == _people(naive_picture(spared(told, gone))), seed
        for subject in gone:
            assert await traces(engine, subject) == {}, seed


@pytest.mark.parametrize("seed", range(6))
async def test_a_merge_of_three_is_taken_back_though_one_of_them_was_erased(
    engine: AsyncEngine, seed: int
) -> None:
    ada, gone, third = (new_subject() for _ in range(3))
    merge = happened(
        "customer.merged", ada, event_id=new_subject(), linked=f"{gone},{third}", from_subject=gone
    )
    told = [merge, happened("customer.unmerged", ada, merge_event_id=merge.envelope.id)]
    told += [erased(gone), happened("points.earned", ada, points=1)]
    told += [happened("points.earned", third, points=2)]
    random.Random(seed).shuffle(told)

    for record in told:
        await project(engine, [record])

    assert sorted((await stored_picture(engine, [ada, third])).people) == sorted((ada, third))


def spared(told: Sequence[Record], gone: Collection[str]) -> list[Record]:
    """What was said, without a word of or about the erased; an unmerge names nobody."""
    left = []
    for record in told:
        envelope = record.envelope
        is_unmerge = envelope.type == "customer.unmerged.v1"
        if envelope.subject in gone and not is_unmerge:
            continue
        named = [(s, k) for s, k in envelope.kinds.items() if s not in gone]
        others = [s for s in envelope.linked_subjects if s not in gone]
        data = msgspec.json.decode(envelope.data)
        if data.get("from_subject") in gone or data.get("previous_subject") in gone:
            data = {k: v for k, v in data.items() if k not in {"from_subject", "previous_subject"}}
        left.append(
            msgspec.structs.replace(
                record,
                envelope=msgspec.structs.replace(
                    envelope,
                    linked=",".join(others) or None,
                    identifiedby=",".join(kind for _, kind in named) or None,
                    data=msgspec.Raw(msgspec.json.encode(data)),
                ),
            )
        )
    return left


def _people(picture: Picture) -> tuple[object, object]:
    return picture.people, picture.references


async def test_an_erasure_beside_a_worker_that_tells_events_leaves_nothing(
    engine: AsyncEngine,
) -> None:
    chance = random.Random(1)
    for _ in range(10):
        user, tablet, life = a_customer()
        seen = [happened("page.viewed", user, linked=tablet, page=str(n)) for n in range(6)]
        told = [*([record] for record in life + seen), [erased(user)], [erased(tablet)]]
        chance.shuffle(told)

        await asyncio.gather(*(project(engine, batch) for batch in told))

        assert await traces(engine, user) == await traces(engine, tablet) == {}


async def test_our_own_word_on_merges_is_not_heard_twice(engine: AsyncEngine) -> None:
    ada, bob = new_subject(), new_subject()
    echo = happened("customer.merged", ada, source="/rapport/profile", from_subject=bob)

    await project(engine, [msgspec.structs.replace(echo, topic=CUSTOMERS.name)])

    assert await rows(engine, "SELECT 1 FROM timeline UNION ALL SELECT 1 FROM profile") == []


async def test_what_we_concluded_is_told_on_the_timeline(engine: AsyncEngine) -> None:
    ada = new_subject()
    derived = [
        happened("lifecycle.stage_changed", ada, after="active"),
        happened("score.updated", ada, score="clv", value=12900.0),
    ]

    await project(engine, [msgspec.structs.replace(one, topic=CUSTOMERS.name) for one in derived])

    assert await rows(engine, "SELECT count(*), min(topic) FROM timeline") == [(2, 1)]
    (state,) = (await stored_picture(engine, [ada])).people.values()
    profile = unpack(state[1])
    assert profile.events == {"score.updated.v1": 1}
    assert profile.scores["clv"].value == "12900.0"

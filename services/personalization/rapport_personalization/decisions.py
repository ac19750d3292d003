"""Decisions to rows and back; a row never changes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import orjson
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.candidates import Waiting, waiting
from rapport_personalization.domain.decision import Decision, Past
from rapport_personalization.effects import Given, gate_document

GOES_ON: Final = """
(trigger <> ALL($2::text[]) OR (trigger, version) IN (
    SELECT * FROM unnest($2::text[], $3::text[])
))
"""
"""Of candidates: nobody has paused it. $2 and $3 are what `held_back` says."""

_DUE: Final = f"""
SELECT id, trigger, version, rank, person::text, subject_id::text, anchor, thing, at, due, send_at,
    cause, shadow
FROM candidate
WHERE send_at <= $1 AND {GOES_ON} AND person = ANY($4::text[]::uuid[])
"""  # noqa: S608 - ours

_PAST: Final = """
SELECT id, trigger, person::text, anchor, send_at, rank, kind, outcome, arm, scope, shadow
FROM decision WHERE person = ANY($1::text[]::uuid[])
"""

_DECIDED: Final = "SELECT id FROM decision WHERE id = ANY($1::bytea[])"

_COLUMNS: Final = (
    "id", "trigger", "version", "rank", "person", "subject_id", "anchor", "at", "due", "send_at",
    "kind", "outcome", "gate", "shadow", "arm", "scope", "is_mixed", "effect", "channel",
    "template", "language", "offer", "goal", "goal_until", "cause", "gates", "known_seq",
    "policies", "thing", "decided_at",
)  # fmt: skip


class Row(NamedTuple):
    """A decision with what is kept beside it."""

    waiting: Waiting
    decision: Decision
    given: Given | None
    known_seq: int


def held_back(paused: Mapping[str, str | None]) -> tuple[list[str], list[str | None]]:
    """Triggers that pause, and the version of each that goes on all the same, or None."""
    return list(paused), list(paused.values())


async def load_due(
    tx: AsyncConnection,
    persons: Collection[str],
    now: datetime,
    paused: Mapping[str, str | None],
) -> list[Waiting]:
    """All that is due of these people, who are locked."""
    rows = await (await driver(tx)).fetch(_DUE, now, *held_back(paused), list(persons))
    return [waiting(row) for row in rows]


async def load_decided(tx: AsyncConnection, ids: Collection[bytes]) -> set[bytes]:
    return {row[0] for row in await (await driver(tx)).fetch(_DECIDED, list(ids))}


async def load_past(
    tx: AsyncConnection, members: Mapping[str, tuple[str, ...]]
) -> dict[str, list[tuple[bytes, Past]]]:
    """By person: what was decided about them under any of their ids."""
    persons = {member: key for key, all_ in members.items() for member in all_}
    found: dict[str, list[tuple[bytes, Past]]] = {}
    for row in await (await driver(tx)).fetch(_PAST, list(persons)):
        past = Past(
            trigger=row["trigger"],
            person=row["person"],
            anchor=row["anchor"],
            send_at=row["send_at"],
            rank=row["rank"],
            kind=row["kind"],
            outcome=row["outcome"],
            arm=row["arm"],
            scope=row["scope"],
            shadow=row["shadow"],
        )
        found.setdefault(persons[past.person], []).append((row["id"], past))
    return found


async def add(tx: AsyncConnection, rows: Sequence[Row], now: datetime) -> None:
    """A plain COPY: a second decision under an id must fail, whatever went wrong before it."""
    if rows:
        connection = await driver(tx)
        await connection.copy_records_to_table(
            "decision", records=[_record(one, now) for one in rows], columns=_COLUMNS
        )


def _record(row: Row, now: datetime) -> tuple[object, ...]:
    it, decision = row.waiting, row.decision
    until = None if decision.within is None else decision.send_at + decision.within
    gates = orjson.dumps([gate_document(gate) for gate in decision.gates]).decode()
    return (
        bytes.fromhex(decision.id), decision.trigger, decision.version, decision.rank,
        decision.person, it.subject, decision.anchor, it.candidate.at, decision.due,
        decision.send_at, decision.kind, decision.outcome, decision.gate, decision.shadow,
        decision.arm, decision.scope, decision.is_mixed, decision.effect, decision.channel,
        decision.template, decision.language, None if row.given is None else row.given.offer,
        decision.goal, until, it.candidate.key, gates, row.known_seq, decision.policies,
        it.candidate.thing, now,
    )  # fmt: skip

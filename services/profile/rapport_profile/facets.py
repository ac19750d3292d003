"""Keeps what people are filtered by level with their state, and tells the changes of their stage.

A batch that cannot change a facet costs nothing here but a look at the types of its events.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rapport_events import wire
from rapport_events.envelope import Record, event_key
from rapport_events.topics import CUSTOMERS
from rapport_runtime.database import driver
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile.domain import facets
from rapport_profile.domain.facets import Announced, Change, Facet
from rapport_profile.domain.lifecycle import DEFINITION
from rapport_profile.domain.people import People, Person

SOURCE: Final = "/rapport/profile"

_TELLING: Final[frozenset[type[wire.Data]]] = frozenset(
    {
        wire.OrderPlaced,
        wire.OrderRefunded,
        wire.CustomerCreated,
        wire.ConsentGranted,
        wire.ConsentWithdrawn,
        wire.MessageUnsubscribed,
    }
)
"""The events that a facet can depend on, merges apart."""

_NAMING: Final = frozenset({wire.CustomerCreated, wire.CustomerIdentified})

_COLUMNS: Final = ("subject_id", "stage", "announced_at", "stage_until", "segment", "consents")

_LOAD: Final = """
SELECT subject_id::text, stage, announced_at, stage_until, segment, consents FROM facet
WHERE subject_id = ANY($1::text[]::uuid[]) ORDER BY subject_id FOR UPDATE
"""

_UPDATE: Final = """
UPDATE facet SET stage = new.stage, announced_at = new.announced_at,
    stage_until = new.stage_until, segment = new.segment, consents = new.consents::text[]
FROM unnest($1::text[]::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[],
    $6::text[]) AS new (subject_id, stage, announced_at, stage_until, segment, consents)
WHERE facet.subject_id = new.subject_id
"""

_DELETE: Final = "DELETE FROM facet WHERE subject_id = ANY($1::text[]::uuid[])"

_WELCOME: Final = """
INSERT INTO facet (subject_id, stage, consents)
SELECT subject_id, 'prospect', '{}' FROM unnest($1::text[]::uuid[]) AS new (subject_id)
ON CONFLICT DO NOTHING
"""

_QUEUE_NAMES: Final = """
INSERT INTO name_queue (event_key) SELECT unnest($1::bytea[]) ON CONFLICT DO NOTHING
"""


class Cause(NamedTuple):
    """The event that moved somebody."""

    key: bytes
    id: str
    time: datetime
    historical: bool
    known_at: datetime

    @classmethod
    def of(cls, record: Record, known_at: datetime) -> "Cause":
        envelope = record.envelope
        return cls(record.key, envelope.id, envelope.time, envelope.historical, known_at)


async def follow(tx: AsyncConnection, people: People, batch: Sequence[Record]) -> list[Derived]:
    """The facets of everybody whom the batch moved, after their states were saved.

    The clock is that of the log: how late it was when the last of a person's events was recorded.
    A worker that is behind must not say what the events that it has yet to read will belie.
    Returns the changes of stage, to be told; queues the events that tell names.
    """
    newcomers, moved, names = _sort(people)
    derived: list[Derived] = []
    rows = await _load(tx, moved)
    changed: dict[str, Facet] = {}
    for person in moved:
        if person.is_blank:
            continue
        cause = _cause(person, batch)
        announced = _announced(person, rows)
        facet, changes = facets.follow(
            announced, person.profile, now=cause.known_at, happened=cause.time
        )
        if rows.get(person.root) != facet:
            changed[person.root] = facet
        derived += (
            _tell(person.root, change, _behind(change, person, cause)) for change in changes
        )
    await save(tx, changed, rows.keys())
    await _execute(tx, _DELETE, rows.keys() - {one.root for one in moved if not one.is_blank})
    await _execute(tx, _WELCOME, newcomers)
    await _execute(tx, _QUEUE_NAMES, names)
    return derived


def tell_all(root: str, changes: Iterable[Change]) -> list[Derived]:
    """The changes that nobody but time has caused."""
    return [_tell(root, change, None) for change in changes]


async def save(tx: AsyncConnection, changed: dict[str, Facet], known: Iterable[str]) -> None:
    """Writes facets by the person's root. `known`: those that have a row."""
    known = set(known)
    new = [_row(root, facet) for root, facet in changed.items() if root not in known]
    old = [_row(root, facet) for root, facet in changed.items() if root in known]
    connection = await driver(tx)
    if new:
        await connection.copy_records_to_table("facet", records=new, columns=_COLUMNS)
    if old:
        columns = [list(column) for column in zip(*old, strict=True)]
        # An array of arrays would have to be rectangular, so consents go as array literals.
        columns[-1] = ["{" + ",".join(granted) + "}" for granted in columns[-1]]
        await connection.execute(_UPDATE, *columns)


def from_row(row: Sequence[object]) -> Facet:
    """A row of `_COLUMNS`, without the subject."""
    stage, announced_at, until, segment, consents = row
    return Facet(Announced(stage, announced_at), until, segment, consents)  # type: ignore[arg-type]  # the driver knows no types


def _sort(people: People) -> tuple[list[str], list[Person], list[bytes]]:
    """Newcomers without facets, people who may have moved, and the events that tell names."""
    newcomers, moved, names = [], [], []
    for person in people:
        is_told = person.is_moved
        for record, data in person.facts:
            kind = type(data)
            is_told = is_told or kind in _TELLING
            if kind in _NAMING and data.pii is not None:
                names.append(record.key)
        if is_told:
            moved.append(person)
        elif person.facts and _is_newcomer(person):
            newcomers.append(person.root)
    return newcomers, moved, names


def _is_newcomer(person: Person) -> bool:
    """Whether all that is folded of them came with this batch."""
    return not person.is_blank and sum(person.profile.events.values()) <= len(person.facts)


async def _load(tx: AsyncConnection, moved: Iterable[Person]) -> dict[str, Facet]:
    members = [member for person in moved for member in person.members]
    if not members:
        return {}
    rows = await (await driver(tx)).fetch(_LOAD, members)
    return {subject: from_row(row) for subject, *row in rows}


async def _execute(tx: AsyncConnection, statement: str, many: Collection[object]) -> None:
    if many:
        await (await driver(tx)).execute(statement, list(many))


def _announced(person: Person, rows: dict[str, Facet]) -> Announced:
    """What was told of this person, under whichever subject it was their own row."""
    told = {m: rows[m].announced for m in person.members if m in rows}
    if not told:
        # With a past, and without a row: told apart from somebody by this batch.
        return Announced(None) if person.is_moved and person.is_stale else Announced()
    latest = max((one.at for one in told.values() if one.at), default=None)
    if latest is None:
        return Announced()
    own = told.get(person.root)
    if own is None or own.at is None:
        # Nothing was ever said of the root: it has the name of whom something was said of.
        own = next(one for one in told.values() if one.at == latest)
    return Announced(own.stage, latest)


def _cause(person: Person, batch: Sequence[Record]) -> Cause:
    own = [record for record, _ in person.facts] or batch
    telling = [record for record, data in person.facts if type(data) in _TELLING] or own
    return Cause.of(telling[-1], max(record.envelope.recordedtime for record in own))


def _behind(change: Change, person: Person, cause: Cause) -> Cause:
    """For a change at an order, the order itself."""
    if change.reason == "event":
        for record, data in person.facts:
            if record.envelope.time == change.at and type(data) is wire.OrderPlaced:
                return Cause.of(record, cause.known_at)
    return cause


def _tell(root: str, change: Change, cause: Cause | None) -> Derived:
    """Under an id that only this change of this person can have, however often it is found out."""
    if cause is not None and change.reason == "restated":
        key, rule = cause.key, f"{DEFINITION}/{root}"
    else:
        at = change.at.astimezone(UTC).isoformat()
        key, rule = event_key(SOURCE, root), f"{DEFINITION}/{change.reason}/{change.after}/{at}"
    attributes: dict[str, object] = {"initiatedby": "rule"}
    if cause is not None:
        attributes["historical"] = cause.historical
        if change.reason != "time":
            attributes["causationid"] = cause.id
    return Derived(
        cause=key,
        rule=rule,
        topic=CUSTOMERS.name,
        source=SOURCE,
        type="lifecycle.stage_changed.v1",
        time=change.at,
        subject=root,
        data={**change._asdict(), "definition": DEFINITION},
        attributes=attributes,
    )


def _row(root: str, facet: Facet) -> tuple[object, ...]:
    return (root, *facet.announced, facet.until, facet.segment, facet.consents)

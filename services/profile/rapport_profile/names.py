"""Finds people by how their names begin, in a table that holds no name.

A beginning is stored as a keyed hash, under the subject of the event that told the name. The
table may be emptied and filled again at any time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Final, NamedTuple

import structlog
from rapport_privacy.keyring import Keyring, KeyringUnavailableError
from rapport_runtime.database import driver
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.pool import Pool
from rapport_runtime.subscription import Resources
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_profile.domain.names import beginnings, names, words
from rapport_profile.queries import load_events
from rapport_profile.reader import Opened, open_events

_PURPOSE: Final = "name-prefix"
_BATCH: Final = 500
_IDLE_SECONDS: Final = 0.1
_RETRY_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.01

_TAKE: Final = """
SELECT event_key FROM name_queue ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
"""

_ADD: Final = """
WITH living AS (
    SELECT subject_id FROM profile
    WHERE subject_id = ANY($2::text[]::uuid[]) AND erased_at IS NULL
    ORDER BY subject_id FOR KEY SHARE
)
INSERT INTO name_prefix (token, subject_id)
SELECT told.token, told.subject_id
FROM unnest($1::bigint[], $2::text[]::uuid[]) AS told (token, subject_id)
JOIN living USING (subject_id)
ON CONFLICT DO NOTHING
"""
"""An erasure that comes after this one waits for it, and deletes what it has added."""

_DONE: Final = "DELETE FROM name_queue WHERE event_key = ANY($1::bytea[])"

_REFILL: Final = """
INSERT INTO name_queue (event_key) SELECT event_key FROM timeline
WHERE type IN ('customer.created.v1', 'customer.identified.v1') AND subject_id IS NOT NULL
ON CONFLICT DO NOTHING
"""

_log = structlog.get_logger(__name__)

Token = tuple[int, str]
"""Keyed hash of a beginning, and the subject whose name begins so."""


class Indexed(NamedTuple):
    """What one turn of the indexer did."""

    events: int
    tokens: int


def token(keyring: Keyring, beginning: str) -> int:
    """A beginning of a name as the table knows it: 64 bits of a keyed hash."""
    mac = keyring.mac_local(_PURPOSE, beginning.encode())
    return int.from_bytes(mac[:8], "big", signed=True)


async def index(
    resources: Resources, open_keyring: Callable[[], Awaitable[Keyring]], stop: asyncio.Event
) -> None:
    """Keeps the index level with the queue until `stop`; any number of processes may do so."""
    keyring: Keyring | None = None
    try:
        while not stop.is_set():
            try:
                keyring = keyring or await open_keyring()
                if (await index_once(resources.engine, keyring)).events < _BATCH:
                    await pause(stop, _IDLE_SECONDS)
            except (KeyringUnavailableError, *WAITED_FOR) as error:
                if not isinstance(error, KeyringUnavailableError) and not is_environment(error):
                    raise
                _log.warning("names wait", reason=type(error).__name__)
                await pause(stop, _RETRY_SECONDS)
    finally:
        if keyring is not None:
            await keyring.close()


async def index_once(engine: AsyncEngine, keyring: Keyring, most: int = _BATCH) -> Indexed:
    """Indexes the events that wait longest, in one transaction.

    What was erased, or cannot be read, is taken from the queue and leaves nothing.
    Raises KeyringUnavailableError.
    """
    async with engine.begin() as tx:
        connection = await driver(tx)
        keys = [row[0] for row in await connection.fetch(_TAKE, most)]
        if not keys:
            return Indexed(0, 0)
        tokens = await tokens_of(tx, keyring, keys)
        await add(tx, tokens)
        await connection.execute(_DONE, keys)
    return Indexed(len(keys), len(tokens))


async def tokens_of(tx: AsyncConnection, keyring: Keyring, keys: Sequence[bytes]) -> list[Token]:
    """What the names that the events tell are found by. Raises KeyringUnavailableError."""
    found: set[Token] = set()
    for event in await open_events(keyring, await load_events(await driver(tx), keys)):
        subject = event.envelope.subject
        if subject is not None:
            found.update((token(keyring, one), subject) for one in _beginnings(event))
    return sorted(found)


async def add(tx: AsyncConnection, tokens: Sequence[Token]) -> None:
    """Adds those of them whose subject has not been erased meanwhile."""
    if tokens:
        columns = map(list, zip(*tokens, strict=True))
        await (await driver(tx)).execute(_ADD, *columns)


async def requeue(engine: AsyncEngine) -> int:
    """Empties the index, and queues every event that tells a name; how many.

    In one transaction: until it is indexed again, people are not found by their names.
    """
    async with engine.begin() as tx:
        connection = await driver(tx)
        await connection.execute("TRUNCATE name_prefix")
        await connection.execute("DELETE FROM name_queue")
        return int((await connection.execute(_REFILL)).rpartition(" ")[2])


async def is_level(pool: Pool, seconds: float) -> bool:
    """Waits until every name that is queued now can be found; False: not in time."""
    last = await pool.fetchval("SELECT max(id) FROM name_queue")
    deadline = monotonic() + seconds
    while last is not None:
        if not await pool.fetchval("SELECT EXISTS (SELECT FROM name_queue WHERE id <= $1)", last):
            break
        if monotonic() >= deadline:
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    return True


def _beginnings(event: Opened) -> Iterable[str]:
    """How the names that an event tells begin; none when it cannot be read."""
    if not isinstance(event.personal, Mapping):
        return ()
    traits = event.personal.get("traits")
    told = names(event.personal) + (names(traits) if isinstance(traits, Mapping) else [])
    return {one for name in told for word in words(name) for one in beginnings(word)}

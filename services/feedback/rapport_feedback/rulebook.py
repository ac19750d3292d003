"""Which rules comments are read by now: the newest version, or those that came with the service."""

from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple, Protocol

import asyncpg
import yaml
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.domain.comments import Reader
from rapport_feedback.schemas.comment_rules import RulesDocument

_NEWEST: Final = """
SELECT version, document::text, created_at, created_by
FROM comment_rules ORDER BY version DESC LIMIT 1
"""

_LOCK: Final = "LOCK TABLE comment_rules IN SHARE ROW EXCLUSIVE MODE"
"""Of two who write at once the second sees what the first wrote; readers do not wait."""

_ADD: Final = """
INSERT INTO comment_rules (version, document, created_by) VALUES ($1, $2::text::json, $3)
RETURNING created_at
"""


class Connection(Protocol):
    """A pool, a snapshot or the driver's connection."""

    async def fetchrow(self, query: str, *args: object) -> asyncpg.Record | None: ...


class Rulebook(NamedTuple):
    """A version of the rules."""

    version: int
    document: RulesDocument
    created_at: datetime | None = None
    created_by: str | None = None
    written: str | None = None
    """As it is stored, where it was read; to write it again costs as much as to read a comment."""

    @property
    def reader(self) -> Reader:
        """Prepared once for each version, not for each comment."""
        return _reader(self.version, self.written or self.document.model_dump_json())

    @property
    def definition(self) -> str:
        """As `feedback.classified` names it."""
        return f"comments@{self.version}"


async def load_rulebook(connection: Connection) -> Rulebook:
    row = await connection.fetchrow(_NEWEST)
    if row is None:
        return Rulebook(0, shipped(), written=_shipped_text())
    version, document, created_at, created_by = row
    return Rulebook(version, _parsed(document), created_at, created_by, document)


async def lock_rulebook(tx: AsyncConnection) -> Rulebook:
    """The newest version, which nobody replaces before the end of the transaction."""
    connection = await driver(tx)
    await connection.execute(_LOCK)
    return await load_rulebook(connection)


async def add_rulebook(
    tx: AsyncConnection, version: int, document: RulesDocument, by: str
) -> Rulebook:
    """By whoever holds the lock."""
    written = document.model_dump_json()
    created_at = await (await driver(tx)).fetchval(_ADD, version, written, by)
    return Rulebook(version, document, created_at, by, written)


@cache
def shipped() -> RulesDocument:
    text = files(__package__).joinpath("comment_rules.yaml").read_text("utf-8")
    return RulesDocument.model_validate(yaml.safe_load(text))


@cache
def _shipped_text() -> str:
    return shipped().model_dump_json()


@lru_cache(maxsize=8)
def _parsed(text: str) -> RulesDocument:
    return RulesDocument.model_validate_json(text)


@lru_cache(maxsize=8)
def _reader(version: int, text: str) -> Reader:
    return Reader.of(_parsed(text).rules(version))

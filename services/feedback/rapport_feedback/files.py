"""Survey definitions as files: YAML or JSON, checked as a whole before any is stored."""

import argparse
import asyncio
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final, NamedTuple

import structlog
import yaml
from pydantic import ValidationError
from rapport_runtime.database import create_engine, driver
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_feedback.definitions import DRAFT, RETIRED, go_live, load_latest, read, save_draft
from rapport_feedback.domain.definition import Definition
from rapport_feedback.settings import FeedbackSettings

OURS: Final = "defaults"
"""Names the surveys that come with the service, where a path is asked for."""

_LAST_OF_FILE: Final = """
SELECT document::text FROM survey_definition WHERE id = $1 AND created_by = $2
ORDER BY version DESC LIMIT 1
"""

log = structlog.get_logger(__name__)

_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})
_LARGEST: Final = 1 << 20
_BY: Final = "file"
_BOOL: Final = "tag:yaml.org,2002:bool"


class BadDefinitionsError(Exception):
    """Files that cannot be loaded; the message has a line for each thing that is wrong."""

    def __init__(self, flaws: Sequence[str]) -> None:
        super().__init__("\n".join(flaws))


class Loaded(NamedTuple):
    """What became of a definition."""

    id: str
    version: int
    change: str
    """live, draft, unchanged, retired, or kept: somebody else's draft, which differs."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2 truth: `on` is the key of a rule and `no` a language, neither is a boolean."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != _BOOL]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"true|false"), list("tf"))


def read_path(path: Path) -> list[Definition]:
    """The definitions in a file, or in all files of a directory.

    Raises BadDefinitionsError.
    """
    read: list[Definition] = []
    flaws: list[str] = []
    for file in _files(path):
        try:
            read += list(_read_file(file))
        except ValidationError as error:
            flaws += _flaws(file, error)
        except (OSError, UnicodeError, yaml.YAMLError, RecursionError) as error:
            flaws.append(f"{file.name}: {' '.join(str(error).split())[:300]}")
    ids = [one.id for one in read]
    flaws += [f"{one}: is defined more than once" for one in sorted(set(ids)) if ids.count(one) > 1]
    if flaws:
        raise BadDefinitionsError(flaws)
    return read


async def load(
    engine: AsyncEngine, definitions: Sequence[Definition], *, goes_live: bool = True
) -> list[Loaded]:
    """All of them, or none. What is there already stays as it is, and what was done by hand."""
    now = datetime.now(UTC)
    async with engine.begin() as tx:
        return [
            await _load_one(tx, definition, now, goes_live=goes_live)
            for definition in sorted(definitions, key=lambda one: one.id)
        ]


async def _load_one(
    tx: AsyncConnection, definition: Definition, now: datetime, *, goes_live: bool
) -> Loaded:
    """Only a file that was changed has something to say, and it takes no draft from anybody."""
    latest = await load_latest(tx, definition.id)
    if latest is not None:
        is_same = latest.definition == definition
        if latest.state == RETIRED and is_same:
            return Loaded(latest.id, latest.version, RETIRED)
        if latest.created_by != _BY and await _is_old(tx, definition):
            return Loaded(latest.id, latest.version, "unchanged")
        if latest.state == DRAFT and latest.created_by != _BY and not is_same:
            draft = f"{latest.id}@{latest.version}"
            log.warning("a draft differs from a file", file=definition.id, draft=draft)
            return Loaded(latest.id, latest.version, "kept")
    stored, is_new = await save_draft(tx, definition, _BY)
    change = DRAFT if is_new else "unchanged"
    if goes_live and stored.state == DRAFT:
        change = (await go_live(tx, stored.id, stored.version, now)).state
    return Loaded(stored.id, stored.version, change)


async def _is_old(tx: AsyncConnection, definition: Definition) -> bool:
    """Whether a file said the same the last time that one said anything."""
    document = await (await driver(tx)).fetchval(_LAST_OF_FILE, definition.id, _BY)
    return document is not None and read(document) == definition


def surveys_command(settings: FeedbackSettings, words: Sequence[str]) -> int:
    """`surveys load [PATH | defaults] [--draft]`."""
    parser = argparse.ArgumentParser(prog="python -m rapport_feedback surveys")
    commands = parser.add_subparsers(dest="command", required=True)
    loading = commands.add_parser("load", help="store definitions and make them live")
    loading.add_argument(
        "path", nargs="?", default=OURS, help="a file, a directory, or `defaults`: those we bring"
    )
    loading.add_argument("--draft", action="store_true", help="only store them, ask nobody yet")
    given = parser.parse_args(words)
    try:
        definitions = defaults() if given.path == OURS else read_path(Path(given.path))
    except BadDefinitionsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for one in asyncio.run(_load(settings, definitions, goes_live=not given.draft)):
        sys.stdout.write(f"{one.id}@{one.version}: {one.change}\n")
    return 0


def defaults() -> list[Definition]:
    """The surveys that come with the service."""
    with as_file(files("rapport_feedback") / "surveys") as directory:
        return read_path(directory)


async def _load(
    settings: FeedbackSettings, definitions: Sequence[Definition], *, goes_live: bool
) -> list[Loaded]:
    engine = create_engine(settings)
    try:
        return await load(engine, definitions, goes_live=goes_live)
    finally:
        await engine.dispose()


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix in _ENDINGS)


def _read_file(file: Path) -> Iterator[Definition]:
    if file.stat().st_size > _LARGEST:
        raise OSError(f"is larger than {_LARGEST} bytes")
    for document in yaml.load_all(file.read_text("utf-8"), _Loader):
        if document is not None:
            yield Definition.model_validate(document)


def _flaws(file: Path, error: ValidationError) -> Iterator[str]:
    for flaw in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(map(str, flaw["loc"])) or "survey"
        yield f"{file.name}: {place}: {flaw['msg']}"

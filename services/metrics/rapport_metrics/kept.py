"""By which definitions totals are kept: those in force, and versions beside them.

Totals change by differences, so all of them are made by one rule: whoever goes by another stops.
A version is kept from the first event on or not at all: `rapport rebuild metrics --definition`
begins it, and who applies events goes on with it, as long as it means the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

import msgspec
from rapport_runtime.contract import HaltedError
from rapport_runtime.database import driver
from rapport_runtime.http.health import Check
from rapport_runtime.pool import Snapshot
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_metrics.domain.beside import Beside
from rapport_metrics.domain.catalogue import CATALOGUE
from rapport_metrics.domain.own import Options
from rapport_metrics.replay import kinds_of

Definitions = Mapping[str, Options]
"""By name, `fcr.v2`, what each version has instead of the one in force."""

RULES: Final = 1
"""To be raised with every release by which the same events make other facts.

Totals change by differences, so who counts by other rules than they were made by must not begin.
"""

IN_FORCE: Final = "in force"
"""No name of a version."""

_LOAD: Final = "SELECT definition, digest FROM kept ORDER BY definition"
_FIRST: Final = "INSERT INTO kept (definition, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_DROP: Final = "DELETE FROM kept WHERE definition = ANY($1::text[])"
_DROP_TOTALS: Final = tuple(
    f"DELETE FROM {table} WHERE metric = ANY($1::text[])"  # noqa: S608 - names of our tables
    for table in ("cell", "daily", "published", "restatement")
)


_OTHERS: Final = (
    "the totals were made by other definitions than RAPPORT_KPI__… says, or by a release that"
    " counts otherwise: run `rapport rebuild metrics --force-promote` with this release and these"
    " settings, or go back"
)


class OtherDefinitionsError(HaltedError):
    """The settings say other definitions than those that the totals were made by."""

    code = "other_definitions"

    def __init__(self) -> None:
        super().__init__(_OTHERS)


def digest(options: Options) -> bytes:
    """What tells one meaning of a version from another; 16 bytes."""
    # The weekdays of a calendar are numbers, which JSON has no keys of.
    plain = msgspec.to_builtins(options, str_keys=True, order="deterministic")
    meaning = plain if RULES == 1 else [RULES, plain]
    return blake2b(msgspec.json.encode(meaning), digest_size=16).digest()


def beside(definition: str, options: Options) -> Beside:
    """How the facts of a version are made, and what they are called."""
    metrics = _metrics(definition)
    return Beside(suffix(definition), metrics, frozenset(kinds_of(metrics)), options)


def metrics_of(definition: str) -> list[str]:
    """What the totals of a version are called: `fcr@fcr.v2`."""
    return sorted(name + suffix(definition) for name in _metrics(definition))


def suffix(definition: str) -> str:
    """Of the names of a version's totals.

    With the KPI's name: versions of two KPIs may count the same metric, each in its own way.
    """
    return f"@{definition}"


def _metrics(definition: str) -> frozenset[str]:
    kpi = CATALOGUE[definition.partition(".")[0]]
    return kpi.metrics | kpi.beside


async def load_kept(snap: Snapshot, definitions: Definitions) -> set[str]:
    """Those of the definitions that totals are kept by."""
    return _meant(await snap.fetch(_LOAD), definitions)


async def with_kept(tx: AsyncConnection, options: Options, definitions: Definitions) -> Options:
    """The options in force, and beside them those of the versions that are kept.

    Raises OtherDefinitionsError when the totals were made by others. A version whose meaning has
    changed, or that nobody defines any more, is kept no longer: what it has counted so far would be
    of another meaning than what comes.
    """
    connection = await driver(tx)
    known = dict(await connection.fetch(_LOAD))
    made_by, ours = known.pop(IN_FORCE, None), digest(options)
    if made_by is None:
        await connection.execute(_FIRST, IN_FORCE, ours)
    elif made_by != ours:
        raise OtherDefinitionsError
    if not known:
        return options
    meant = _meant(known.items(), definitions)
    if gone := [name for name in known if name not in meant]:
        await _forget(connection, gone)
    others = tuple(beside(name, definitions[name]) for name in sorted(meant))
    return msgspec.structs.replace(options, beside=others)


async def _forget(connection: Snapshot, definitions: Sequence[str]) -> None:
    await connection.execute(_DROP, definitions)
    metrics = [name for definition in definitions for name in metrics_of(definition)]
    for statement in _DROP_TOTALS:
        await connection.execute(statement, metrics)


def chosen(
    options: Options, definitions: Definitions, names: Collection[str]
) -> list[dict[str, object]]:
    """Rows of the table `kept`: of what is in force, and of these versions."""
    meant = {IN_FORCE: options, **{name: definitions[name] for name in sorted(names)}}
    return [{"definition": name, "digest": digest(one)} for name, one in meant.items()]


def definitions_check(engine: AsyncEngine, options: Options) -> Check:
    """Whether the totals were made by these definitions."""
    ours = digest(options)

    async def check() -> str | None:
        async with engine.connect() as connection:
            known = dict(await (await driver(connection)).fetch(_LOAD))
        return None if known.get(IN_FORCE, ours) == ours else _OTHERS

    return check


def _meant(rows: Iterable[tuple[str, bytes]], definitions: Definitions) -> set[str]:
    return {
        name for name, kept in rows if name in definitions and digest(definitions[name]) == kept
    }

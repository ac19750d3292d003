"""`rebuild` and `verify` of the KPIs, as commands."""

import argparse
from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

from rapport_runtime.contract import HaltedError
from rapport_runtime.rebuild import Site, command, schemas
from rapport_runtime.rebuild.level import alone
from sqlalchemy import text

from rapport_metrics.api.definitions import definitions_of
from rapport_metrics.domain.catalogue import CATALOGUE
from rapport_metrics.kept import chosen
from rapport_metrics.projection import projection
from rapport_metrics.settings import MetricsSettings

_PACKAGE: Final = "rapport_metrics"


class NoSuchDefinitionError(HaltedError):
    """What is to be kept is defined nowhere."""

    code = "unknown_definition"

    def __init__(self, name: str, known: Collection[str]) -> None:
        there_is = ", ".join(sorted(known)) or "none"
        super().__init__(
            f"no version {name} in RAPPORT_KPI__DEFINITIONS that totals can be kept by;"
            f" there is {there_is}"
        )


def rebuild_command(settings: MetricsSettings, arguments: Sequence[str]) -> int:
    """`--definition fcr.v2`, once or more, begins to keep a version beside the one in force."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--definition", action="append", default=[])
    given, rest = parser.parse_known_args(arguments)
    begun = sorted({name for name in given.definition if name in _known(settings)})
    return command.rebuild_command(
        _PACKAGE,
        settings,
        projection(settings, begun),
        rest,
        prepare=partial(begin_to_keep, settings=settings, asked=given.definition),
    )


def verify_command(settings: MetricsSettings, arguments: Sequence[str]) -> int:
    return command.verify_command(_PACKAGE, settings, projection(settings), arguments)


async def begin_to_keep(site: Site, settings: MetricsSettings, asked: Sequence[str]) -> None:
    """A build that was interrupted, and goes by other definitions than is asked, is begun anew.

    Raises NoSuchDefinitionError.
    """
    known = _known(settings)
    for name in asked:
        if name not in known:
            raise NoSuchDefinitionError(name, known)
    rows = chosen(settings.options(), settings.definitions(), asked)
    wanted = {(row["definition"], row["digest"]) for row in rows}
    async with alone(site), site.engine.begin() as connection:
        if not await schemas.exists(connection, site.projection.next):
            return
        found = await connection.execute(
            text(f"SELECT definition, digest FROM {site.projection.next}.kept")  # noqa: S608 - ours
        )
        if not wanted <= {tuple(row) for row in found}:
            await schemas.drop(connection, site.projection.next)


def _known(settings: MetricsSettings) -> set[str]:
    """Versions that facts are made of, so that totals can be kept by them."""
    return {name for kpi in CATALOGUE.values() for name in definitions_of(kpi, settings)[1:]}

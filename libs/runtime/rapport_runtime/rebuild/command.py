"""`rebuild` and `verify` as commands: a line of JSON for each step, the report as the last one.

Exit codes: 0 done, 1 there are differences (and nobody said that they are meant), 3 it cannot be
done, and why.
"""

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import orjson

from rapport_runtime.contract import HaltedError
from rapport_runtime.database import create_patient_engine, require_current_schema
from rapport_runtime.rebuild.build import Report, list_builds, rebuild, roll_back
from rapport_runtime.rebuild.builds import PROMOTED
from rapport_runtime.rebuild.projection import Projection, Site
from rapport_runtime.rebuild.verify import verify
from rapport_runtime.serve import run_once
from rapport_runtime.settings import Settings

_DIFFERENT: Final = 1
_IMPOSSIBLE: Final = 3

Work = Callable[[Site], Awaitable[Report]]


def rebuild_command(
    package: str,
    settings: Settings,
    projection: Projection,
    arguments: Sequence[str],
    prepare: Callable[[Site], Awaitable[None]] | None = None,
) -> int:
    """Build the projection again from the log, and put it in the place of the live one.

    `prepare` is what is to be done before; it may raise HaltedError.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {package} rebuild",
        description="Build the projection again from the log, and make it the live one.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--no-promote", action="store_true", help="build and compare, no more")
    what.add_argument("--promote", action="store_true", help="promote if equal; the default")
    what.add_argument("--force-promote", action="store_true", help="promote also if it differs")
    what.add_argument("--rollback", action="store_true", help="make the previous version live")
    what.add_argument("--status", action="store_true", help="list the rebuilds")
    given = parser.parse_args(arguments)

    async def work(site: Site) -> Report:
        if given.status:
            return {"builds": [build._asdict() for build in await list_builds(site)]}
        if given.rollback:
            return await roll_back(site)
        if prepare is not None:
            await prepare(site)
        return await rebuild(site, promote=not given.no_promote, force=given.force_promote)

    return run_once(_report(package, settings, projection, work))


def verify_command(
    package: str,
    settings: Settings,
    projection: Projection,
    arguments: Sequence[str],
    sample: int | None = None,
) -> int:
    """Compare the live projection with what the log says.

    `sample`: how many customers are looked at unless the operator says otherwise. None: what is
    projected is no customer's, so all of it is looked at.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {package} verify", description="Compare the projection with the log."
    )
    whom = parser.add_mutually_exclusive_group()
    if sample is not None:
        whom.add_argument("--sample", type=int, default=sample, help="how many customers")
    whom.add_argument("--all", action="store_true", help="all that there is")
    given = parser.parse_args(arguments)

    async def work(site: Site) -> Report:
        return await verify(site, None if given.all or sample is None else given.sample)

    return run_once(_report(package, settings, projection, work))


async def _report(package: str, settings: Settings, projection: Projection, work: Work) -> int:
    engine = create_patient_engine(settings)
    try:
        await require_current_schema(engine, package)
        site = Site(projection=projection, settings=settings, engine=engine, tell=tell)
        report = await work(site)
    except HaltedError as error:
        tell("failed", {"code": error.code, "detail": error.detail})
        return _IMPOSSIBLE
    finally:
        await engine.dispose()
    tell("done", report)
    return _DIFFERENT if report.get("differing") and report.get("status") != PROMOTED else 0


def tell(step: str, figures: Mapping[str, object]) -> None:
    """One line on stdout."""
    sys.stdout.buffer.write(orjson.dumps({"step": step, **figures}) + b"\n")
    sys.stdout.buffer.flush()

"""`python -m rapport_profile COMMAND`; `-h` lists the commands.

The only reader of the environment.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import orjson
from rapport_privacy.wiring import open_keyring
from rapport_runtime.command import run_command
from rapport_runtime.database import create_engine
from rapport_runtime.serve import Component, run
from rapport_runtime.subscription import Resources

from rapport_profile import main, names, openapi
from rapport_profile.audit_reads import Broken, verify_chains
from rapport_profile.rebuilding import rebuild_command, verify_command
from rapport_profile.settings import ProfileSettings


def _api(settings: ProfileSettings) -> int:
    return run({"api": main.api_component(settings, main.make_resources(settings))})


def _worker(settings: ProfileSettings) -> int:
    return run(_workers(settings, main.make_resources(settings)))


def _all(settings: ProfileSettings) -> int:
    resources = main.make_resources(settings)
    api = main.api_component(settings, resources)
    return run({"api": api, **_workers(settings, resources)})


def _workers(settings: ProfileSettings, resources: Resources) -> dict[str, Component]:
    return {
        "worker": main.worker_component(resources),
        "lifecycle": main.lifecycle_component(resources),
        "names": main.names_component(settings, resources),
        "privacy": main.privacy_component(settings, resources),
    }


def _migrate(settings: ProfileSettings) -> int:
    asyncio.run(main.migrate_all(settings))
    return 0


def _verify_audit(settings: ProfileSettings) -> int:
    """1 when a row of the audit trail was changed or is missing."""
    count, broken = asyncio.run(_verify(settings))
    found = {"reads": count, "broken": [place._asdict() for place in broken]}
    sys.stdout.buffer.write(orjson.dumps(found) + b"\n")
    return 1 if broken else 0


async def _verify(settings: ProfileSettings) -> tuple[int, list[Broken]]:
    engine = create_engine(settings)
    try:
        async with engine.connect() as connection:
            return await verify_chains(connection)
    finally:
        await engine.dispose()


def _reindex_names(settings: ProfileSettings) -> int:
    """Empties the index of names and fills it again; a running worker helps."""
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(_reindex(settings))) + b"\n")
    return 0


async def _reindex(settings: ProfileSettings) -> dict[str, int]:
    engine, keyring = create_engine(settings), await open_keyring(settings.keyring)
    try:
        queued, indexed = await names.requeue(engine), 0
        while (turn := await names.index_once(engine, keyring)).events:
            indexed += turn.events
        return {"queued": queued, "indexed": indexed}
    finally:
        await keyring.close()
        await engine.dispose()


_COMMANDS: Final[Mapping[str, Callable[[ProfileSettings], int]]] = {
    "api": _api,
    "worker": _worker,
    "all": _all,
    "migrate": _migrate,
    "verify-audit": _verify_audit,
    "reindex-names": _reindex_names,
}

_WITH_OPTIONS: Final[Mapping[str, Callable[[ProfileSettings, Sequence[str]], int]]] = {
    "rebuild": rebuild_command,
    "verify": verify_command,
}


def run_profile() -> int:
    return run_command(
        "rapport_profile", ProfileSettings, openapi.document, _COMMANDS, _WITH_OPTIONS
    )


if __name__ == "__main__":
    sys.exit(run_profile())

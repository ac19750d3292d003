"""`python -m rapport_personalization COMMAND`; `-h` lists the commands.

The only reader of the environment.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

from rapport_runtime.command import run_command
from rapport_runtime.serve import Component, run
from rapport_runtime.subscription import Resources

from rapport_personalization import main, openapi
from rapport_personalization.settings import PersonalizationSettings


def _api(settings: PersonalizationSettings) -> int:
    return run(_apis(settings, main.make_resources(settings)))


def _worker(settings: PersonalizationSettings) -> int:
    return run(_workers(settings, main.make_resources(settings)))


def _all(settings: PersonalizationSettings) -> int:
    resources = main.make_resources(settings)
    return run({**_apis(settings, resources), **_workers(settings, resources)})


def _apis(settings: PersonalizationSettings, resources: Resources) -> dict[str, Component]:
    return {
        "api": main.api_component(settings, resources),
        "backtests": main.backtests_component(settings, resources),
    }


def _workers(settings: PersonalizationSettings, resources: Resources) -> dict[str, Component]:
    return {
        "worker": main.worker_component(settings, resources),
        "sender": main.sender_component(settings, resources),
    }


def _migrate(settings: PersonalizationSettings) -> int:
    asyncio.run(main.migrate_all(settings))
    return 0


_COMMANDS: Final[Mapping[str, Callable[[PersonalizationSettings], int]]] = {
    "api": _api,
    "worker": _worker,
    "all": _all,
    "migrate": _migrate,
}


def run_personalization() -> int:
    return run_command(
        "rapport_personalization", PersonalizationSettings, openapi.document, _COMMANDS
    )


if __name__ == "__main__":
    sys.exit(run_personalization())

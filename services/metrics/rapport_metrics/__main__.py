"""`python -m rapport_metrics COMMAND`; `-h` lists the commands.

The only reader of the environment.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rapport_runtime.command import run_command
from rapport_runtime.serve import Component, run
from rapport_runtime.subscription import Resources

from rapport_metrics import main, openapi
from rapport_metrics.rebuilding import rebuild_command, verify_command
from rapport_metrics.settings import MetricsSettings


def _api(settings: MetricsSettings) -> int:
    return run({"api": main.api_component(settings, main.make_resources(settings))})


def _worker(settings: MetricsSettings) -> int:
    return run(_workers(settings, main.make_resources(settings)))


def _all(settings: MetricsSettings) -> int:
    resources = main.make_resources(settings)
    api = main.api_component(settings, resources)
    return run({"api": api, **_workers(settings, resources)})


def _workers(settings: MetricsSettings, resources: Resources) -> dict[str, Component]:
    return {
        "worker": main.worker_component(settings, resources),
        "watch": main.watch_component(settings, resources),
        "forecast": main.forecast_component(settings, resources),
    }


def _migrate(settings: MetricsSettings) -> int:
    asyncio.run(main.migrate_all(settings))
    return 0


_COMMANDS: Final[Mapping[str, Callable[[MetricsSettings], int]]] = {
    "api": _api,
    "worker": _worker,
    "all": _all,
    "migrate": _migrate,
}

_WITH_OPTIONS: Final[Mapping[str, Callable[[MetricsSettings, Sequence[str]], int]]] = {
    "rebuild": rebuild_command,
    "verify": verify_command,
}


def run_metrics() -> int:
    return run_command(
        "rapport_metrics", MetricsSettings, openapi.document, _COMMANDS, _WITH_OPTIONS
    )


if __name__ == "__main__":
    sys.exit(run_metrics())

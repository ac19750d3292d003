"""`python -m rapport_ingest api|worker|all|migrate|openapi`. The only reader of the environment."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

from rapport_runtime.command import run_command
from rapport_runtime.serve import Component, run

from rapport_ingest import main, openapi
from rapport_ingest.settings import IngestSettings


def _api(settings: IngestSettings) -> int:
    return run({"api": main.api_component(main.Premises(settings))})


def _worker(settings: IngestSettings) -> int:
    return run(_work(main.Premises(settings)))


def _all(settings: IngestSettings) -> int:
    premises = main.Premises(settings)
    return run({"api": main.api_component(premises), **_work(premises)})


def _work(premises: main.Premises) -> dict[str, Component]:
    return {
        "worker": main.worker_component(premises),
        "pruning": main.pruning_component(premises),
    }


def _migrate(settings: IngestSettings) -> int:
    asyncio.run(main.migrate_all(settings))
    return 0


_COMMANDS: Final[Mapping[str, Callable[[IngestSettings], int]]] = {
    "api": _api,
    "worker": _worker,
    "all": _all,
    "migrate": _migrate,
}


def run_ingest() -> int:
    return run_command("rapport_ingest", IngestSettings, openapi.document, _COMMANDS)


if __name__ == "__main__":
    sys.exit(run_ingest())

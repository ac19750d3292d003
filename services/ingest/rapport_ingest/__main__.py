"""`python -m rapport_ingest api|worker|all|migrate|openapi`. The only reader of the environment."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

from rapport_runtime.failpoint import arm
from rapport_runtime.logs import configure_logs
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


def run_command() -> int:
    parser = argparse.ArgumentParser(prog="python -m rapport_ingest", description=__doc__)
    parser.add_argument("command", choices=[*_COMMANDS, "openapi"])
    command = parser.parse_args().command
    if command == "openapi":
        sys.stdout.buffer.write(openapi.document())
        return 0
    settings = IngestSettings()
    configure_logs(settings.log)
    arm(settings.failpoints)
    return _COMMANDS[command](settings)


if __name__ == "__main__":
    sys.exit(run_command())

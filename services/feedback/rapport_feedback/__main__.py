"""`python -m rapport_feedback COMMAND`; `-h` lists the commands.

The only reader of the environment.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

from rapport_runtime.failpoint import arm
from rapport_runtime.logs import configure_logs
from rapport_runtime.serve import Component, run
from rapport_runtime.subscription import Resources

from rapport_feedback import main, openapi
from rapport_feedback.settings import FeedbackSettings


def _api(settings: FeedbackSettings) -> int:
    return run({"api": main.api_component(settings, main.make_resources(settings))})


def _worker(settings: FeedbackSettings) -> int:
    return run(_workers(settings, main.make_resources(settings)))


def _all(settings: FeedbackSettings) -> int:
    resources = main.make_resources(settings)
    api = main.api_component(settings, resources)
    return run({"api": api, **_workers(settings, resources)})


def _workers(settings: FeedbackSettings, resources: Resources) -> dict[str, Component]:
    return {
        "worker": main.worker_component(settings, resources),
        "reminders": main.reminders_component(settings, resources),
        "asker": main.asker_component(settings, resources),
        "sender": main.sender_component(settings, resources),
    }


def _migrate(settings: FeedbackSettings) -> int:
    asyncio.run(main.migrate_all(settings))
    return 0


_COMMANDS: Final[Mapping[str, Callable[[FeedbackSettings], int]]] = {
    "api": _api,
    "worker": _worker,
    "all": _all,
    "migrate": _migrate,
}


def run_command() -> int:
    parser = argparse.ArgumentParser(prog="python -m rapport_feedback", description=__doc__)
    parser.add_argument("command", choices=[*_COMMANDS, "openapi"])
    command = parser.parse_args().command
    if command == "openapi":
        sys.stdout.buffer.write(openapi.document())
        return 0
    settings = FeedbackSettings()
    configure_logs(settings.log)
    arm(settings.failpoints)
    return _COMMANDS[command](settings)


if __name__ == "__main__":
    sys.exit(run_command())

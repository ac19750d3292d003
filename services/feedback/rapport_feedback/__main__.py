"""`python -m rapport_feedback COMMAND`; `-h` lists the commands.

The only reader of the environment.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rapport_runtime.command import run_command
from rapport_runtime.serve import Component, run
from rapport_runtime.subscription import Resources

from rapport_feedback import main, openapi
from rapport_feedback.files import surveys_command
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


_WITH_OPTIONS: Final[Mapping[str, Callable[[FeedbackSettings, Sequence[str]], int]]] = {
    "surveys": surveys_command,
}


def run_feedback() -> int:
    return run_command(
        "rapport_feedback", FeedbackSettings, openapi.document, _COMMANDS, _WITH_OPTIONS
    )


if __name__ == "__main__":
    sys.exit(run_feedback())

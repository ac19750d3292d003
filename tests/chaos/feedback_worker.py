"""Feedback workers to be killed, with a mistake planted when FEEDBACK_BUG names one of them."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rapport_feedback import deciding, due, main
from rapport_feedback.consumer import subscription
from rapport_feedback.deciding import BATCH, Tools
from rapport_feedback.settings import FeedbackSettings
from rapport_runtime import outbox, people
from rapport_runtime.failpoint import arm, failpoint
from rapport_runtime.logs import configure_logs
from rapport_runtime.subscription import Derived, Resources
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import toy_projector


def _tell_after_the_commit() -> None:
    told: list[Derived] = []

    async def keep(_: AsyncConnection, derived: Sequence[Derived]) -> None:
        told.extend(derived)

    class Later:
        add = staticmethod(keep)

    async def careless(
        resources: Resources, tools: Tools, now: datetime, limit: int = BATCH
    ) -> int:
        told.clear()
        async with resources.engine.begin() as tx:
            taken = await due.take_due(tx, now, limit)
            if taken:
                await deciding.decide_all(tx, tools, taken, now)
        if taken:
            failpoint("told_apart")
        async with resources.engine.begin() as tx:
            await outbox.add(tx, told)
        return len(taken)

    vars(deciding)["outbox"] = Later
    vars(deciding)["ask_once"] = careless


def _decide_without_locking_people() -> None:
    lock = people.lock_persons

    async def careless(tx: AsyncConnection, subjects: Any) -> Any:  # noqa: ANN401 - as it is
        # Everybody for themselves: whom a merge made one person is not asked about.
        persons = await lock(tx, subjects)
        return type(persons)(
            {subject: type(persons.of(subject))((subject,)) for subject in subjects}
        )

    vars(deciding)["lock_persons"] = careless


BUGS: Mapping[str, Callable[[], None]] = {
    "told_apart": _tell_after_the_commit,
    "alone": _decide_without_locking_people,
}


async def _work(_: toy_projector.Make) -> int:
    settings = FeedbackSettings()
    configure_logs(settings.log)
    arm(settings.failpoints)
    bug = os.environ.get("FEEDBACK_BUG", "")
    if bug:
        BUGS[bug]()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    resources = main.make_resources(settings)
    components = (main.worker_component, main.asker_component)
    await asyncio.gather(*(make(settings, resources)(stop) for make in components))
    return 0


if __name__ == "__main__":
    toy_projector.main(lambda: subscription(FeedbackSettings()), _work)

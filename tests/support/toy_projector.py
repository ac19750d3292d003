"""Toy projectors as processes that may be killed: `python -m tests.support.toy_projector`.

It imports everything once and forks a worker for each line of JSON on its standard input (the
worker's environment), so that a life costs milliseconds. It answers each birth and each death
with a line of JSON. When its input ends, so do the workers.
"""

import asyncio
import json
import os
import selectors
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import uvloop
from rapport_events.envelope import Record
from rapport_runtime.database import create_engine
from rapport_runtime.failpoint import arm
from rapport_runtime.logs import configure_logs
from rapport_runtime.outbox import relay
from rapport_runtime.settings import Settings
from rapport_runtime.subscription import (
    Derived,
    HaltedError,
    Sifted,
    Subscription,
    run_subscription,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import seeded_bugs
from tests.support.toy import resources_for, toy, write_effects

EXIT_HALTED = 3

Make = Callable[[], Subscription]
"""Called in the worker, whose environment says the rest."""


Work = Callable[[Make], Coroutine[Any, Any, int]]
"""What a worker does with it; its exit status."""


def main(make: Make, work: Work | None = None) -> None:
    """Fork workers as told until the input ends."""
    wake_up, woken = os.pipe()
    for end in (wake_up, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ready = selectors.DefaultSelector()
    ready.register(wake_up, selectors.EVENT_READ)
    ready.register(sys.stdin, selectors.EVENT_READ)
    alive: set[int] = set()
    while True:
        for key, _ in ready.select():
            if key.fd == wake_up:
                os.read(wake_up, 4096)
                _report_deaths(alive)
            elif line := sys.stdin.readline():
                alive.add(_fork(json.loads(line), make, work or _work))
            else:
                for pid in alive:
                    os.kill(pid, signal.SIGKILL)
                return


def _fork(environment: dict[str, str], make: Make, work: Work) -> int:
    pid = os.fork()
    if pid == 0:
        _be_a_worker(environment, make, work)
    _say(born=pid)
    return pid


def _be_a_worker(environment: dict[str, str], make: Make, work: Work) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(environment["TOY_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = 1
    try:
        status = uvloop.run(work(make))
    finally:
        sys.stderr.flush()
        os._exit(status)


def _report_deaths(alive: set[int]) -> None:
    for pid in list(alive):
        died, status = os.waitpid(pid, os.WNOHANG)
        if died:
            alive.discard(pid)
            _say(dead=pid, status=os.waitstatus_to_exitcode(status))


def _say(**words: Any) -> None:  # noqa: ANN401 - JSON
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def _work(make: Make) -> int:
    settings = Settings()
    configure_logs(settings.log)
    arm(settings.failpoints)
    seeded_bugs.plant(os.environ.get("RAPPORT_SEEDED_BUG", ""))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    engine = create_engine(settings)
    jobs = [run_subscription(make(), resources_for(settings, engine), stop=stop)]
    if os.environ.get("TOY_DERIVES"):
        jobs.append(relay(settings, engine, stop))
    try:
        await asyncio.gather(*jobs)
    except HaltedError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_HALTED
    return 0


def _subscription() -> Subscription:
    name, target = os.environ["TOY_NAME"], os.environ.get("TOY_DERIVES")
    seconds = float(os.environ.get("TOY_APPLY_MS", "0")) / 1000

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        await write_effects(tx, name, batch)
        await asyncio.sleep(seconds)
        return [_derived(record, target) for record in batch] if target else ()

    subscription = replace(toy(name, os.environ["TOY_TOPIC"]), apply=apply)
    if os.environ.get("TOY_DEDUP"):
        return subscription
    # Without dedup nothing hides a mistake of the offsets.
    return replace(subscription, fresh=_all_are_new)


async def _all_are_new(_: AsyncConnection, batch: Sequence[Record]) -> Sifted:
    return Sifted(batch)


def _derived(cause: Record, target: str) -> Derived:
    return Derived(
        cause=cause.key,
        rule="toy",
        topic=target,
        source="rapport/toy",
        type="lifecycle.stage_changed.v1",
        time=cause.envelope.time,
        data={"stage": "seen"},
        subject=cause.envelope.subject,
    )


if __name__ == "__main__":
    main(_subscription)

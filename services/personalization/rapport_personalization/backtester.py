"""The process that runs back-tests, one at a time: beside the API and the worker, in nobody's way.

Whoever serves the API starts one when something waits and nobody runs any. It ends when nothing is
left. If it is lost, what it was running is begun again by the next; the third time it has failed.
"""

import asyncio
import signal
from datetime import timedelta
from multiprocessing import get_context
from typing import Final

import structlog
from rapport_runtime.database import create_engine, create_patient_engine, driver
from rapport_runtime.failpoint import arm
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.logs import configure_logs
from rapport_runtime.pause import pause
from rapport_runtime.serve import run_once
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_personalization import claims
from rapport_personalization.backtesting import CancelledError, run
from rapport_personalization.backtests import Backtest
from rapport_personalization.problems import InvalidTriggerError
from rapport_personalization.rules import Rulebook
from rapport_personalization.settings import PersonalizationSettings

_LOOK_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 2.0
_KEY: Final = (0x52415050, 0x42540001)
"""Of the lock that whoever runs back-tests holds as long as it lives."""

_LOCK: Final = "SELECT pg_try_advisory_lock($1, $2)"

_IS_WANTED: Final = """
SELECT EXISTS (SELECT FROM backtest WHERE state IN ('queued', 'running')) AND NOT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
        AND classid::bigint = $1 AND objid::bigint = $2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""

log = structlog.get_logger(__name__)


async def look(settings: PersonalizationSettings, engine: AsyncEngine, stop: asyncio.Event) -> None:
    """Whether something waits; then somebody is started to run it."""
    while not stop.is_set():
        wait = _LOOK_SECONDS
        try:
            if await _is_wanted(engine) and not await _start(settings, stop):
                wait = _AGAIN_SECONDS
        except WAITED_FOR as error:
            if not is_environment(error):
                raise
            log.warning("back-tests wait", reason=type(error).__name__)
        await pause(stop, wait)


async def _is_wanted(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return bool(await (await driver(connection)).fetchval(_IS_WANTED, *_KEY))


async def _start(settings: PersonalizationSettings, stop: asyncio.Event) -> bool:
    """Until it has ended, or we have to; whether it went well."""
    process = get_context("spawn").Process(target=work, args=(settings,), daemon=True)
    process.start()
    ended = asyncio.create_task(asyncio.to_thread(process.join))
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        process.terminate()
    asked.cancel()
    await ended
    if process.exitcode and not stop.is_set():
        log.warning("the process of the back-tests was lost", exit_code=process.exitcode)
    return process.exitcode == 0


def work(settings: PersonalizationSettings) -> None:
    """All that waits. What a key on the terminal says is said to the process that started us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logs(settings.log)
    arm(settings.failpoints)
    run_once(work_off(settings))


async def work_off(settings: PersonalizationSettings) -> None:
    """Unless another process does: then it takes what waits as well."""
    engine, patient = create_engine(settings), create_patient_engine(settings)
    try:
        async with patient.connect() as connection:
            lock = await driver(connection)
            if await lock.fetchval(_LOCK, *_KEY):
                # The lock belongs to the connection; an open transaction would only hinder others.
                await connection.commit()
                await _work_off(settings, engine, patient)
    finally:
        await engine.dispose()
        await patient.dispose()


async def _work_off(
    settings: PersonalizationSettings, engine: AsyncEngine, patient: AsyncEngine
) -> None:
    horizon = timedelta(hours=settings.deciding.horizon_hours)
    while (task := await _claim(engine)) is not None:
        log.info("back-test begins", backtest=task.id, attempt=task.attempts)
        try:
            await run(engine, patient, Rulebook(settings), task, horizon)
        except CancelledError:
            log.info("back-test was cancelled", backtest=task.id)
        except InvalidTriggerError:
            await _fail(engine, task, "this version cannot be read any more; put it anew")


async def _claim(engine: AsyncEngine) -> Backtest | None:
    async with engine.begin() as tx:
        return await claims.claim(tx)


async def _fail(engine: AsyncEngine, task: Backtest, reason: str) -> None:
    async with engine.begin() as tx:
        await claims.fail(tx, task, reason)

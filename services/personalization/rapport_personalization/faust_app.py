"""Faust, told to be no second source of truth: no tables, no files, no web, nothing produced."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ssl import create_default_context
from typing import Any, Final

import faust
from faust.app.base import BootStrategy
from rapport_runtime.settings import KafkaSettings, Settings

_STOP_SECONDS: Final = 5.0
_REQUEST_SECONDS: Final = 40.0
_LOGGERS: Final = ("faust", "mode", "aiokafka")

_BYTES: Final = "raw"
"""Faust acknowledges and drops what it cannot decode, so it is given bytes to pass on."""


Drain = Callable[[], Awaitable[None]]


class _OnlyReading(BootStrategy):
    enable_kafka_producer = False
    enable_web = False


class App(faust.App):
    """A Faust app inside a running event loop, beside other components."""

    BootStrategy = _OnlyReading
    mundane_level = "debug"

    def _create_directories(self) -> None:
        """Only tables would need any; the root file system may be read-only."""

    async def _wait_for_table_recovery_completed(self) -> bool:
        """There are none: nothing else has to wait until Faust has joined its group."""
        return False


def make_app(name: str, settings: Settings) -> App:
    """An app that is quick to notice a lost member, and commits what it believes often."""
    _quieten()
    kafka = settings.kafka
    session = kafka.session_timeout_ms / 1000
    return App(
        name,
        broker=[f"kafka://{address.strip()}" for address in kafka.bootstrap.split(",")],
        broker_credentials=_credentials(kafka),
        broker_session_timeout=session,
        broker_heartbeat_interval=max(0.1, session / 4),
        broker_rebalance_timeout=max(session, 6.0),
        broker_request_timeout=max(_REQUEST_SECONDS, session),
        broker_max_poll_interval=24 * 3600.0,
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=kafka.instance_id,
        value_serializer=_BYTES,
        key_serializer=_BYTES,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        web_tables_enabled=False,
        processing_guarantee="at_least_once",
        autodiscover=False,
        logging_config=None,
    )


async def run_app(app: App, stop: asyncio.Event, drain: Drain) -> None:
    """Run it until `stop`, or raise what made it crash. `drain` waits for what is being done.

    Faust's own worker would take over the process: the loop, the signals and the logging.
    """
    starting = asyncio.ensure_future(app.start())
    over = asyncio.ensure_future(_over(app))
    asked = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({starting, over, asked}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await asyncio.wait({over, asked}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if stop.is_set():
            # Faust itself would cancel its services in the middle of a transaction.
            await drain()
        for task in (starting, over, asked):
            task.cancel()
        await asyncio.gather(starting, over, asked, return_exceptions=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(app.stop(), _STOP_SECONDS)
    reason = app.crash_reason
    if reason is not None:
        raise reason


async def _over(app: App) -> None:
    """Until it has crashed, wherever in its tree of services that was."""
    await app.wait_until_stopped()


def _credentials(kafka: KafkaSettings) -> Any:  # noqa: ANN401 - faust's
    encrypted = kafka.security_protocol.endswith("SSL")
    ca_file = str(kafka.ca_file) if kafka.ca_file else None
    context = create_default_context(cafile=ca_file) if encrypted else None
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password,
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context else None


def _quieten() -> None:
    """They tell of every step of a rebalance, and of every turn that took longer than usual."""
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("mode.timers").setLevel(logging.ERROR)

"""One line per decision that matters, and never a word about a person.

A log line is a constant message and fields of a fixed list. What is not on the list is left
out and only its name is kept; text is scrubbed of e-mail addresses and keys, cut, and freed of
control characters; of an exception only its type and its frames are told, since messages of
drivers quote row values.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from rapport_runtime.settings import LogSettings
from rapport_runtime.trace import NO_TRACE, current_trace

FIELDS: Final = frozenset(
    """
    adapter attempt base_port batch blocked broker bytes cause certificate code component count
    database deadline_ms decision detail dropped_bytes duplicates duration_ms environment event_key
    events expected failed_checks failpoint files group host key_id key_name kid kids kind
    lag_events lag_seconds limit lines method migration next_offset offset oldest_seconds
    parked partition partitions pid pids port position positions projector quarantined reason
    records rejected removed replayed request_id retry_seconds revision route rule rows schema
    scope seconds segment segments service share signal size source spool stack status subject
    subjects subscription table task tasks topic topics trace_id type url_host version worker
    """.split()  # noqa: SIM905 - a list literal would fill two screens
)
"""Every field a line may have. None of them can hold what a customer typed."""

_RESERVED: Final = frozenset({"event", "level", "logger", "timestamp", "exc_type", "frames"})
_LONGEST: Final = 500
_MOST_ITEMS: Final = 50
_MOST_FRAMES: Final = 30
_MOST_CAUSES: Final = 5
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ADDRESS: Final = re.compile(r"[^\s@<>\"'=:,;()]+@[^\s@<>\"'=:,;()]+\.[A-Za-z0-9-]{2,}")
_KEY: Final = re.compile(r"rpt_[a-z]+_[A-Za-z0-9_-]+")

Event = MutableMapping[str, Any]


def configure_logs(settings: LogSettings) -> None:
    """Send structlog and the standard library's loggers through one pipe to stderr."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tell_exception,
        name_trace,
        keep_listed,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(settings),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
    _quieten()


def tell_exception(_logger: object, _method: str, event: Event) -> Event:
    """Replace an exception by its type and frames (`module.py:12 function`), innermost last."""
    given = event.pop("exc_info", None)
    if given is None or given is False:
        return event
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exc_type"] = _types(error)
        event["frames"] = _frames(error.__traceback__)
    return event


def name_trace(_logger: object, _method: str, event: Event) -> Event:
    """Say which request a line belongs to, when it belongs to one."""
    trace = current_trace()
    if trace is not NO_TRACE:
        event.setdefault("trace_id", trace.trace_id)
    return event


def keep_listed(_logger: object, _method: str, event: Event) -> Event:
    """Leave out every field that is not in `FIELDS`; make the others safe to print."""
    kept: Event = {}
    dropped = []
    for name, value in event.items():
        if name in _RESERVED or name.startswith("_"):
            kept[name] = value
        elif name in FIELDS:
            kept[name] = _plain(value)
        else:
            dropped.append(name)
    kept["event"] = scrub(str(event["event"]))
    if dropped:
        kept["dropped_fields"] = sorted(dropped)[:_MOST_ITEMS]
    return kept


def scrub(text: str) -> str:
    """One printable line without e-mail addresses and keys, at most 500 characters."""
    short = text[: _LONGEST + 1]
    if "@" in short:
        short = _ADDRESS.sub("[address]", short)
    if "rpt_" in short:
        short = _KEY.sub("[key]", short)
    safe = _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", short)
    return safe if len(safe) <= _LONGEST else safe[:_LONGEST] + "…"


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return scrub(value)
        case UUID() | Path():
            return scrub(str(value))
        case datetime():
            return value.isoformat()
        case bytes():
            return value.hex()[:64]
        case Mapping():
            return {scrub(str(k)): _plain(v) for k, v in list(value.items())[:_MOST_ITEMS]}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in list(value)[:_MOST_ITEMS]]
        case _:
            return type(value).__name__


def _types(error: BaseException | None) -> str:
    """The exception's type and those of its causes, joined by ` <- `."""
    names: list[str] = []
    while error is not None and len(names) < _MOST_CAUSES:
        names.append(f"{type(error).__module__}.{type(error).__qualname__}")
        error = error.__cause__ or error.__context__
    return " <- ".join(names)


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{Path(code.co_filename).name}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-_MOST_FRAMES:]


def _renderer(settings: LogSettings) -> structlog.types.Processor:
    if settings.format == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(serializer=_dump)


def _dump(event: object, **_: object) -> str:
    return orjson.dumps(event, default=lambda value: type(value).__name__).decode()


def _quieten() -> None:
    """Loggers that would repeat us, name callers, or print rows."""
    for name in ("uvicorn.access", "asyncio", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("sqlalchemy", "aiokafka", "httpcore", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    access = logging.getLogger("uvicorn.access")
    access.handlers = []
    access.propagate = False
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.error").addFilter(_told_already)


def _told_already(record: logging.LogRecord) -> bool:
    """The problem handler tells of a crash with its trace id; uvicorn would tell it again.

    And whoever sends garbage must not be able to fill the disk with it.
    """
    return not str(record.msg).startswith(("Exception in ASGI", "Invalid HTTP request"))

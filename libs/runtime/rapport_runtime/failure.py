"""Why something failed: the data, the environment, or our own code.

Data is parked, the environment is waited for, and a bug ends the process.
"""

from typing import Final

import asyncpg
import msgspec
import pydantic
from aiokafka.errors import KafkaError
from rapport_events.codec import UndecodableEventError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from rapport_runtime.contract import DataError
from rapport_runtime.parked import Reason

_DATA_CLASSES: Final = frozenset({"22", "23"})
"""SQLSTATE classes: data exception, integrity constraint violation."""

_ENVIRONMENT_CLASSES: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""Connection, idle transaction ended, roll-back (deadlock, serialization), no resources, lock not
available, operator intervention (also statement_timeout), system error."""

_LONGEST: Final = 500

SPOKEN: Final = (
    UndecodableEventError,
    DataError,
    pydantic.ValidationError,
    msgspec.ValidationError,
    UnicodeError,
    OverflowError,
    DBAPIError,
    asyncpg.PostgresError,
)
"""What may turn out to be the fault of one event."""

DRIVER: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What PostgreSQL's driver raises, without SQLAlchemy around it."""

WAITED_FOR: Final = (DBAPIError, PoolTimeoutError, *DRIVER, KafkaError, OSError, TimeoutError)
"""What may turn out to be the fault of the environment."""

_FAREWELLS: Final = ("another operation (2) is in progress", 'protocol is in the "failed" state')
"""What the driver says of a statement between the server's last word, such as "terminating
connection", and the end of the connection: 2 is its state in which it reads that word."""


def data_reason(error: BaseException) -> Reason | None:
    """Why the data is at fault; None if it is not."""
    match error:
        case UndecodableEventError() | DataError():
            return Reason(error.code, error.detail[:_LONGEST])
        case pydantic.ValidationError():
            return Reason("bad_data", _fields(error)[:_LONGEST])
        case msgspec.ValidationError():
            return Reason("bad_data", str(error)[:_LONGEST])
        case UnicodeError() | OverflowError():
            return Reason("bad_data", f"{type(error).__name__}: the database cannot hold a value")
    state = sqlstate(error)
    if state is None or state[:2] not in _DATA_CLASSES:
        return None
    return Reason(f"sqlstate_{state}", _constraint(error))


def is_environment(error: BaseException) -> bool:
    """Whether waiting and trying again is the right answer."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is not None:
        return state[:2] in _ENVIRONMENT_CLASSES
    if isinstance(error, (DBAPIError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
        if met_a_farewell(error):
            return True
        # Without a SQLSTATE it came from the client: a closed connection, or a wrong call.
        return "connection" in str(error.orig if isinstance(error, DBAPIError) else error)
    return isinstance(error, (KafkaError, OSError, TimeoutError, PoolTimeoutError))


def met_a_farewell(error: BaseException) -> bool:
    """Whether the server had ended the session already; then not even a rollback can be sent."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, asyncpg.InternalClientError):
            return any(words in str(cause) for words in _FAREWELLS)
        cause = cause.__cause__ or cause.__context__
    return False


def sqlstate(error: BaseException) -> str | None:
    """The five characters by which PostgreSQL names an error; None if it is not one."""
    source = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(source, "sqlstate", None)
    return state if isinstance(state, str) else None


def _fields(error: pydantic.ValidationError) -> str:
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['type']}" for it in problems)


def _constraint(error: BaseException) -> str:
    """Names only: PostgreSQL's own sentence would quote the value."""
    cause = error.__cause__ if isinstance(error, DBAPIError) else error
    while cause is not None and not isinstance(cause, asyncpg.PostgresError):
        cause = cause.__cause__
    if cause is None:
        return "refused by the database"
    names = (cause.table_name, cause.column_name, cause.constraint_name)
    return " ".join([type(cause).__name__, *(name for name in names if name)])

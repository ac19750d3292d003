"""Who is at fault: the data, the environment, or we."""

import asyncpg
import msgspec
import pydantic
import pytest
from aiokafka.errors import KafkaConnectionError
from rapport_events.codec import UndecodableEventError
from rapport_runtime.failure import data_reason, is_environment
from rapport_runtime.subscription import DataError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


def pydantic_error() -> pydantic.ValidationError:
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(dict[str, int]).validate_python({"ada": "ada@example.com"})
    return caught.value


DATA = [
    UndecodableEventError("empty", "the record has no value"),
    DataError("no_such_order", "order: must be known"),
    msgspec.ValidationError("Expected `int`, got `str` - at `$.amount`"),
    pydantic_error(),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    OverflowError("value out of int64 range"),
    asyncpg.NumericValueOutOfRangeError("x"),
    asyncpg.UniqueViolationError("x"),
]
ENVIRONMENT = [
    asyncpg.DeadlockDetectedError("x"),
    asyncpg.SerializationError("x"),
    asyncpg.LockNotAvailableError("x"),
    asyncpg.DiskFullError("x"),
    asyncpg.TooManyConnectionsError("x"),
    asyncpg.AdminShutdownError("x"),
    asyncpg.QueryCanceledError("x"),
    asyncpg.IdleInTransactionSessionTimeoutError("x"),
    asyncpg.ConnectionDoesNotExistError("x"),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    asyncpg.InternalClientError('cannot switch to state 12; protocol is in the "failed" state'),
    KafkaConnectionError(),
    ConnectionRefusedError(),
    TimeoutError(),
    PoolTimeoutError("QueuePool limit reached"),
]
OURS = [
    asyncpg.UndefinedColumnError("x"),
    asyncpg.InsufficientPrivilegeError("x"),
    asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
    asyncpg.InternalClientError("cannot switch to state 12; another operation (12) is in progress"),
    KeyError("x"),
    AssertionError(),
]


@pytest.mark.parametrize("error", DATA, ids=lambda error: type(error).__name__)
def test_the_datas_fault_has_a_reason_and_is_not_waited_for(error: Exception) -> None:
    assert data_reason(error) is not None
    assert not is_environment(error)


@pytest.mark.parametrize("error", ENVIRONMENT, ids=lambda error: type(error).__name__)
def test_the_environments_fault_is_waited_for_and_parks_nothing(error: Exception) -> None:
    assert data_reason(error) is None
    assert is_environment(error)


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
def test_our_own_fault_is_neither(error: Exception) -> None:
    assert data_reason(error) is None
    assert not is_environment(error)


def test_a_reason_names_fields_and_quotes_no_value() -> None:
    reason = data_reason(pydantic_error())

    assert reason is not None
    assert reason.detail == "ada: int_parsing"

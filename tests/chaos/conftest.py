"""Lets these tests use real servers."""

from tests.support.fixtures import (
    _skip_what_this_machine_lacks,
    broker,
    database,
    new_database,
    own_broker,
    own_postgres,
    postgres,
    topic,
)

__all__ = [
    "_skip_what_this_machine_lacks",
    "broker",
    "database",
    "new_database",
    "own_broker",
    "own_postgres",
    "postgres",
    "topic",
]

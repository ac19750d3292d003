"""Lets these tests use real servers, and a stack with the demo's customers in it."""

from collections.abc import AsyncIterator

import pytest

from tests.support.demo import DemoStack, open_demo_stack
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
    "demo_stack",
    "new_database",
    "own_broker",
    "own_postgres",
    "postgres",
    "topic",
]


@pytest.fixture(scope="package")
async def demo_stack() -> AsyncIterator[DemoStack]:
    """The stack that these tests share: send to it what you like, and assert on no total.

    Not for the whole session: six processes would idle beside all tests that come later.
    """
    async with open_demo_stack() as stack:
        yield stack

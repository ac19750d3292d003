"""One `publish` on its way: what became of each of its records so far, and who waits for it."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from rapport_runtime.delivery import Outgoing, Placed, TooLarge
from rapport_runtime.kafka import MAX_RECORD_BYTES

_HEADERS_AND_BATCH: Final = 4_096


class NotPublishedError(Exception):
    """The producer ended with the batch half done: send it again."""

    def __init__(self) -> None:
        super().__init__("the producer has ended; the process has to be restarted")


class Spooled(msgspec.Struct, frozen=True, gc=False):
    """The record is on this machine's disk and will be in the log, in order."""


SPOOLED: Final = Spooled()

Outcome = Placed | Spooled | TooLarge


class Pending:
    """A batch of records; an outcome that is None is still open."""

    __slots__ = ("answer", "outcomes", "records", "size")

    def __init__(self, records: Sequence[Outgoing]) -> None:
        self.records = records
        self.outcomes: list[Outcome | None] = [None] * len(records)
        self.answer: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self.size = 0
        for index, record in enumerate(records):
            size = len(record.key) + len(record.value)
            self.size += size
            if size > MAX_RECORD_BYTES - _HEADERS_AND_BATCH:
                self.outcomes[index] = TooLarge(size)

    def open_indices(self) -> list[int]:
        return [index for index, outcome in enumerate(self.outcomes) if outcome is None]

    def fail(self, error: Exception) -> None:
        """Nothing is promised for the batch; its publisher sends it again."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def resolve(self) -> None:
        """Answer, unless it failed or nobody waits any more. An open outcome is a failure."""
        settled = [outcome for outcome in self.outcomes if outcome is not None]
        if len(settled) < len(self.outcomes):
            self.fail(NotPublishedError())
        elif not self.answer.done():
            self.answer.set_result(settled)

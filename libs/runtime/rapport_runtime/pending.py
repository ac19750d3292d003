"""One `publish` on its way: what became of each of its records so far, and who waits for it."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from rapport_runtime.delivery import Outgoing, Placed, TooLarge


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

    def __init__(self, records: Sequence[Outgoing], record_bytes: int) -> None:
        """What is larger than `record_bytes` is settled at once."""
        self.records = records
        self.outcomes: list[Outcome | None] = [None] * len(records)
        self.answer: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self.size = 0
        for index, record in enumerate(records):
            size = record.size
            self.size += size
            if size > record_bytes:
                self.outcomes[index] = TooLarge(size, record_bytes)

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

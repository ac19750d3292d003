"""Mistakes that people make in such loops, planted so that the chaos tests prove they would see.

Only the toy projector's process plants them; the product has no switch for them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from rapport_events.envelope import Record
from rapport_runtime import inbox, kafka
from rapport_runtime.contract import Resources, Sifted, Subscription
from rapport_runtime.failure import WAITED_FOR
from rapport_runtime.subscription import batch, claim, loop, transaction
from rapport_runtime.subscription.assignment import Assignment
from rapport_runtime.subscription.batch import Batch
from rapport_runtime.subscription.client import Shown
from rapport_runtime.subscription.offsets import Step
from rapport_runtime.subscription.transaction import Outcome
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_consumers: list[AIOKafkaConsumer] = []


def plant(name: str) -> None:
    """Break the loop in the named way; nothing for an empty name."""
    if name:
        BUGS[name]()


def _commit_to_kafka_before_the_database() -> None:
    _trust_kafka()

    async def commit_first(sub: Subscription, resources: Resources, it: Batch) -> Outcome:
        await _commit(it)
        return await transaction.apply_batch(sub, resources, it)

    _replace(loop, "apply_batch", commit_first)


def _commit_to_kafka_after_the_database() -> None:
    _trust_kafka()

    async def commit_last(sub: Subscription, resources: Resources, it: Batch) -> Outcome:
        outcome = await transaction.apply_batch(sub, resources, it)
        await _commit(it)
        return outcome

    _replace(loop, "apply_batch", commit_last)


def _move_offsets_unconditionally() -> None:
    async def advance(tx: AsyncConnection, projector: str, steps: Sequence[Step]) -> None:
        for step in steps:
            await tx.execute(
                text(
                    "UPDATE projector_offset SET next_offset = :next, anchor_offset = :at,"
                    " anchor = COALESCE(:anchor, anchor)"
                    " WHERE projector = :projector AND topic = :topic AND partition = :partition"
                ),
                {
                    "next": step.next_offset,
                    "at": step.anchor_offset,
                    "anchor": step.anchor,
                    "projector": projector,
                    "topic": step.place.topic,
                    "partition": step.place.partition,
                },
            )

    _replace(transaction, "advance", advance)
    _replace(loop, "advance", advance)


def _commit_automatically() -> None:
    _trust_kafka()
    make = AIOKafkaConsumer

    def make_careless(**options: Any) -> AIOKafkaConsumer:  # noqa: ANN401 - the client's options
        return make(**{**options, "enable_auto_commit": True, "auto_commit_interval_ms": 20})

    _replace(kafka, "AIOKafkaConsumer", make_careless)


def _forget_what_was_seen() -> None:
    async def everything(_: str, __: AsyncConnection, records: Sequence[Record]) -> Sifted:
        return Sifted(records)

    _replace(inbox, "fresh", everything)


def _believe_any_log() -> None:
    async def believe(*_: object) -> None:
        return

    _replace(claim, "_check_anchors", believe)


def _swallow_exceptions() -> None:
    original: Callable[..., None] = batch._read

    def read(*given: Any) -> None:  # noqa: ANN401 - whatever the original takes
        *rest, _ = given
        original(*rest, [])

    _replace(batch, "_read", read)


def _retry_from_memory() -> None:
    """A batch whose COMMIT gave no answer is simply applied again."""
    _move_offsets_unconditionally()

    async def again(sub: Subscription, resources: Resources, it: Batch) -> Outcome:
        try:
            return await transaction.apply_batch(sub, resources, it)
        except WAITED_FOR:
            return await transaction.apply_batch(sub, resources, it)

    _replace(loop, "apply_batch", again)


def _trust_kafka() -> None:
    """Positions come from the consumer group; the database's offsets are not looked at."""

    async def claim_committed(
        _: Subscription, __: AsyncEngine, consumer: AIOKafkaConsumer, assignment: Assignment
    ) -> Mapping[TopicPartition, int]:
        epoch = assignment.epoch
        _consumers[:] = [consumer]
        positions = {}
        for place in consumer.assignment():
            positions[place] = await consumer.committed(place) or 0
            assignment.require(epoch)
            consumer.seek(place, positions[place])
        return positions

    async def move_nothing(*_: object) -> None:
        return

    async def show_nothing(*_: object) -> None:
        return

    _replace(loop, "claim", claim_committed)
    _replace(transaction, "advance", move_nothing)
    _replace(loop, "advance", move_nothing)
    _replace(Shown, "show", show_nothing)


async def _commit(it: Batch) -> None:
    await _consumers[0].commit({step.place: step.next_offset for step in it.steps})


def _replace(owner: object, name: str, substitute: object) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner!r} has no {name}: the bug must be planted elsewhere")
    setattr(owner, name, substitute)


BUGS: Mapping[str, Callable[[], None]] = {
    "M1": _commit_to_kafka_before_the_database,
    "M2": _commit_to_kafka_after_the_database,
    "M3": _move_offsets_unconditionally,
    "M4": _commit_automatically,
    "M5": _forget_what_was_seen,
    "M8": _believe_any_log,
    "M9": _swallow_exceptions,
    "M15": _retry_from_memory,
}
"""By their numbers in the design; M15 is the unknown outcome of a COMMIT."""

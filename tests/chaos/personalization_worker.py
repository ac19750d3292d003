"""Personalization workers to be killed, with the mistake that PERSONALIZATION_BUG names."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiokafka import TopicPartition
from faust.types.tuples import Message
from rapport_personalization import consumer, deciding, scoring
from rapport_personalization.main import make_resources, make_shop
from rapport_personalization.reactions import Reactions
from rapport_personalization.settings import PersonalizationSettings
from rapport_personalization.worker import work
from rapport_privacy.wiring import open_keyring
from rapport_runtime import outbox
from rapport_runtime.failpoint import arm
from rapport_runtime.logs import configure_logs
from rapport_runtime.people import Persons
from rapport_runtime.people.groups import gather
from rapport_runtime.subscription import Derived, HaltedError, Subscription
from rapport_runtime.subscription.offsets import Step, advance, load_positions
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tests.support import seeded_bugs, toy_projector

EXIT_BUG = 70

_engines: list[AsyncEngine] = []
_later: set[asyncio.Task[None]] = set()


def _tell_after_the_commit() -> None:
    """What follows from a decision is written once that is committed."""

    async def write(derived: Sequence[Derived]) -> None:
        await asyncio.sleep(0.2)
        async with _engines[0].begin() as tx:
            await outbox.add(tx, derived)

    class Later:
        @staticmethod
        async def add(_: AsyncConnection, derived: Sequence[Derived]) -> None:
            task = asyncio.ensure_future(write(derived))
            _later.add(task)
            task.add_done_callback(_later.discard)

    vars(deciding)["outbox"] = Later


def _believe_faust() -> None:
    """What the agent was not given has been seen."""

    async def skip(self: Reactions, place: TopicPartition, until: int) -> None:
        name, engine = self._subscription.name, self._resources.engine
        async with engine.begin() as tx:
            known = (await load_positions(tx, name, [place]))[place].next_offset
            await advance(tx, name, [Step.over_nothing(place, known, until, until)])
        self._expected[place] = until

    async def look(*_: object) -> str:
        return "repeat"

    setattr(Reactions, "_go_back", skip)  # noqa: B010 - the class is not ours to change
    setattr(Reactions, "look", look)  # noqa: B010 - see above


def _move_on_before_speaking() -> None:
    """How far a night has come is committed before what it has to say."""
    advance_night = vars(scoring)["_advance"]

    async def advance_first(_: AsyncConnection, *arguments: Any, **more: Any) -> None:  # noqa: ANN401
        async with _engines[0].begin() as tx:
            await advance_night(tx, *arguments, **more)

    vars(scoring)["_advance"] = advance_first


def _know_nobody() -> None:
    """Everybody is one subject, whatever a merge has said."""

    def alone(module: object) -> None:
        lock = vars(module)["lock_persons"]

        async def careless(tx: AsyncConnection, subjects: Collection[str]) -> Persons:
            await lock(tx, subjects)
            return gather(subjects, (), ())

        vars(module)["lock_persons"] = careless

    for module in (consumer, deciding):
        alone(module)


BUGS: Mapping[str, Callable[[], None]] = {
    "alone": _know_nobody,
    "early": _move_on_before_speaking,
    "late": _tell_after_the_commit,
    "faust": _believe_faust,
}
"""Beside those of the loop."""


def _stumble() -> None:
    """Faust's known fault: an agent that raises. The event is acknowledged, and the worker dies."""
    take = Reactions.take
    chance = float(os.environ["STUMBLES"])

    async def raise_sometimes(self: Reactions, message: Message, end: int) -> Any:  # noqa: ANN401
        if os.urandom(1)[0] < 256 * chance:
            raise RuntimeError("an agent raised")
        return await take(self, message, end)

    setattr(Reactions, "take", raise_sometimes)  # noqa: B010 - see above


def projection() -> Subscription:
    """Not used: a personalization worker is more than a projection."""
    raise NotImplementedError


async def _work(_: object) -> int:
    settings = PersonalizationSettings()
    configure_logs(settings.log)
    arm(settings.failpoints)
    seeded_bugs.plant(os.environ.get("RAPPORT_SEEDED_BUG", ""))
    if bug := os.environ.get("PERSONALIZATION_BUG", ""):
        BUGS[bug]()
    if "STUMBLES" in os.environ:
        _stumble()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    resources = make_resources(settings)
    _engines[:] = [resources.engine]
    keyring = await open_keyring(settings.keyring)
    shop = make_shop(settings, resources, keyring)
    topics = tuple(os.environ["TOY_TOPIC"].split(","))
    shop = replace(
        shop,
        projection=replace(shop.projection, name=os.environ["TOY_NAME"], topics=topics),
        models=replace(
            shop.models, name=f"{os.environ['TOY_NAME']}.models", topics=(os.environ["MODELS"],)
        ),
    )
    try:
        await work(shop, stop)
    except (HaltedError, RuntimeError) as error:
        sys.stderr.write(f"{error!r}\n")
        return EXIT_BUG
    return 0


if __name__ == "__main__":
    toy_projector.main(projection, _work)

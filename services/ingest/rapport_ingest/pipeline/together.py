"""Looking up people for all requests of the moment together.

A look at the keyring's database costs as much for one person as for a hundred. So while a few
looks are under way, requests gather, and the next look is for all of them. What the keyring
remembers is answered at once, without any of this.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rapport_privacy.keyring import Keyring, KeyringUnavailableError, Resolved, Suppressed

_AT_ONCE: Final = 2
_MOST: Final = 2_000
"""People in one look."""

Named = Sequence[Mapping[str, str]]
Found = list[Resolved | Suppressed]


@dataclass(frozen=True, slots=True)
class _Waiting:
    named: Named
    found: "asyncio.Future[Found]"


@dataclass(slots=True)
class People:
    """The keyring, as many requests at once ask it."""

    keyring: Keyring
    _looks: int = 0
    _waiting: list[_Waiting] = field(default_factory=list)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def resolve(self, named: Named) -> Found:
        """As `Keyring.resolve`, and raises as it does."""
        remembered = self.keyring.remembered(named)
        if remembered is not None:
            return remembered
        if self._looks < _AT_ONCE and not self._waiting:
            return await self._look(named)
        waiting = _Waiting(named, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        return await waiting.found

    async def _look(self, named: Named) -> Found:
        self._looks += 1
        try:
            return await self.keyring.resolve(named)
        except KeyringUnavailableError as error:
            # Whoever waits has waited in vain, too: nobody waits for longer than one look.
            for waiting in self._take(all_of_them=True):
                _give(waiting, error)
            raise
        finally:
            self._looks -= 1
            if self._waiting:
                task = asyncio.create_task(self._look_for(self._take()))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _take(self, *, all_of_them: bool = False) -> list[_Waiting]:
        count, people = 0, 0
        while count < len(self._waiting) and (all_of_them or not count or people < _MOST):
            people += len(self._waiting[count].named)
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def _look_for(self, several: Sequence[_Waiting]) -> None:
        named = [one for waiting in several for one in waiting.named]
        [found] = await asyncio.gather(self._look(named), return_exceptions=True)
        start = 0
        for waiting in several:
            end = start + len(waiting.named)
            _give(waiting, found if isinstance(found, BaseException) else found[start:end])
            start = end


def _give(waiting: _Waiting, found: Found | BaseException) -> None:
    if waiting.found.done():  # its request is gone
        return
    if isinstance(found, BaseException):
        waiting.found.set_exception(found)
    else:
        waiting.found.set_result(found)

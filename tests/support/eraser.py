"""Erases people in a process of its own, and dies by `kill -9` where it is told to.

Standard input: one JSON object: url, master (base64), subjects, certificate, die.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from rapport_privacy import erasure
from rapport_privacy.keyring import Keyring
from rapport_privacy.ledger_rows import append_entry
from rapport_privacy.master import MasterKey

BEFORE, COMMIT, AFTER = "before_ledger", "before_commit", "after_commit"


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying(step: Callable[..., Awaitable[Any]], *, first: bool) -> Callable[..., Awaitable[Any]]:
    async def died(*given: Any, **named: Any) -> None:  # noqa: ANN401 - whatever the step takes
        if not first:
            await step(*given, **named)
        _die()

    return died


async def _erase(told: dict[str, Any]) -> None:
    keyring = await Keyring.open(told["url"], MasterKey.from_base64(told["master"]))
    if told["die"] in {BEFORE, COMMIT}:
        dying = _dying(append_entry, first=told["die"] == BEFORE)
        vars(erasure)["append_entry"] = dying
    await keyring.erase(told["subjects"], certificate_id=told["certificate"])
    if told["die"] == AFTER:
        _die()
    await keyring.close()


if __name__ == "__main__":
    asyncio.run(_erase(json.load(sys.stdin)))

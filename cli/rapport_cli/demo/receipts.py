"""What ingest answered to the demo's publishers, added up."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rapport_runtime.http.consistency import decode_token, encode_token

from rapport_cli.failure import CliError

_PATIENCE_SECONDS = 30.0


class PublisherFailedError(CliError):
    code = "RPT-E001"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Ingest did not take what the demo sent: {reason}.",
            "logs/ingest.log in the state directory says why; keep it with --state-dir.",
        )


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was sent, to be sent again."""

    url: str
    headers: Mapping[str, str]
    body: bytes | str


class Receipts:
    """Added up on the event loop, whichever thread the answers came on."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self.accepted = 0
        self.rejected = 0
        self.unplaced: list[Request] = []
        """Requests of which a part went to ingest's spool, so that no token names its place."""
        self._positions: dict[tuple[str, int], int] = {}
        self._progress = progress
        self._failure: str | None = None
        self._news = asyncio.Event()

    @property
    def answered(self) -> int:
        return self.accepted + self.rejected

    @property
    def token(self) -> str:
        """For reads that must include everything that was answered so far."""
        return encode_token(self._positions)

    def add(self, answer: Mapping[str, Any], request: Request) -> None:
        """One answer with status 200."""
        rejected = len(answer["rejected"])
        self.accepted += answer["accepted"]
        self.rejected += rejected
        if answer["consistency_token"] is not None:
            self.place(answer["consistency_token"])
        elif answer["accepted"]:
            self.unplaced.append(request)
        self._progress(answer["accepted"] + rejected)
        self._news.set()

    def place(self, token: str) -> None:
        """Ingest says where in the log events went."""
        for place, offset in decode_token(token).items():
            self._positions[place] = max(offset, self._positions.get(place, 0))

    def fail(self, reason: str) -> None:
        """A publisher gave up."""
        self._failure = reason
        self._news.set()

    async def until(self, answered: int) -> None:
        """Waits for so many answers. Raises PublisherFailedError: one failed, or none come."""
        while self.answered < answered:
            self._news.clear()
            if self._failure is not None:
                raise PublisherFailedError(self._failure)
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                silence = f"no answer for {_PATIENCE_SECONDS:g} s"
                raise PublisherFailedError(silence) from None

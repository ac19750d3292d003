"""Delivers into a file, for a demo: a line of JSON a message."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import orjson

from rapport_runtime.sender.message import SENT, Message, Outcome


class Console:
    """The file holds what the messages say, so it is nobody else's to read."""

    name = "console"
    needs_words = True

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, message: Message) -> Outcome:
        await asyncio.to_thread(self._append, _line(message))
        return SENT

    def _append(self, line: bytes) -> None:
        opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # One write: lines of two processes do not mix.
            os.write(opened, line)
        finally:
            os.close(opened)


def _line(message: Message) -> bytes:
    data, rendered = message.request.data, message.rendered
    document = {
        "at": datetime.now(UTC),
        "message": message.id,
        "action": data.action,
        "channel": message.channel,
        "template": data.template,
        "language": data.language,
        "to": message.to,
        "subject": None if rendered is None else rendered.subject,
        "text": None if rendered is None else rendered.text,
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)

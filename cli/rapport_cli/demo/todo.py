"""What somebody has to do for a customer, by who asked for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rapport_cli.demo.desk import Desk, profile_path

Document = Mapping[str, Any]

_OF_TRIGGERS = "t-"
"""What ids of tasks begin with that personalization makes."""


def follow_ups(tasks: Sequence[Document]) -> list[Document]:
    """Tasks of the feedback service; those that a trigger asked for are another story."""
    return [task for task in tasks if not task["task"].startswith(_OF_TRIGGERS)]


async def to_do(desk: Desk, email: str) -> list[Document] | None:
    """Open follow-ups of somebody; None: there are none."""
    shown = await desk.read(profile_path(f"email:{email}"), {"include": "tasks"})
    return follow_ups(shown["tasks"]) or None


async def nothing_to_do(desk: Desk, email: str) -> str | None:
    """None as long as there is something."""
    return None if await to_do(desk, email) else "done"

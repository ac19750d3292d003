"""Notes, tasks and commitments: what was done to each of them, step by step.

A step may be heard of before the thing itself: publishers' clocks differ, and events get lost.
So the step that begins a thing comes first whenever it arrives, every other step counts even if
nobody ever tells of the beginning, and what ends a thing ends it for good. Then what a thing
is now does not depend on the order in which its events are folded, but among equals: of two texts
the later one holds.
"""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from rapport_profile.domain.source import Source

StepName = Literal[
    "added", "edited", "removed", "created", "assigned", "completed", "cancelled",
    "made", "kept", "broken",
]  # fmt: skip


class Step(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One thing that an agent did to a note, a task or a commitment."""

    name: StepName
    by: Source
    agent: str | None = None
    """Who did it; for a task, whose it is."""
    ref: str | None = None
    due: datetime | None = None
    pinned: bool | None = None


class _Stepped(msgspec.Struct, array_like=True, gc=False):
    """`steps`: in fold order, but the beginning first. Never empty once it is in a profile."""

    steps: list[Step] = []

    begins: ClassVar[StepName]
    ends: ClassVar[frozenset[StepName]]

    def take(self, step: Step) -> None:
        """Adds a step; steps come in fold order."""
        is_begun = bool(self.steps) and self.steps[0].name == self.begins
        if step.name == self.begins and not is_begun:
            self.steps.insert(0, step)
        else:
            self.steps.append(step)

    @property
    def by(self) -> Source:
        """The event that began it, or the first that told of it."""
        return self.steps[0].by

    @property
    def ref(self) -> str | None:
        """What it is about, as kind:id."""
        return next((step.ref for step in reversed(self.steps) if step.ref is not None), None)

    @property
    def due(self) -> datetime | None:
        """By when; a later word replaces an earlier one."""
        return next((step.due for step in reversed(self.steps) if step.due is not None), None)

    @property
    def end(self) -> Step | None:
        """How it ended; the last word if there are two."""
        return next((step for step in reversed(self.steps) if step.name in self.ends), None)


class Note(_Stepped, array_like=True, gc=False):
    """A note of an agent. Its text is in the events of its versions."""

    begins: ClassVar[StepName] = "added"
    ends: ClassVar[frozenset[StepName]] = frozenset({"removed"})

    @property
    def agent(self) -> str | None:
        """Who wrote it."""
        return self.steps[0].agent

    @property
    def pinned(self) -> bool:
        told = (step.pinned for step in reversed(self.steps) if step.pinned is not None)
        return next(told, False)

    @property
    def versions(self) -> list[Step]:
        """Each time that it was written, oldest first."""
        return [step for step in self.steps if step.name != "removed"]


class Task(_Stepped, array_like=True, gc=False):
    """Something an agent has to do. Its title is in its events."""

    begins: ClassVar[StepName] = "created"
    ends: ClassVar[frozenset[StepName]] = frozenset({"completed", "cancelled"})

    @property
    def assignee(self) -> str | None:
        return next((step.agent for step in reversed(self.steps) if step.agent is not None), None)

    @property
    def state(self) -> Literal["open", "completed", "cancelled"]:
        if self.end is None:
            return "open"
        return "completed" if self.end.name == "completed" else "cancelled"


class Commitment(_Stepped, array_like=True, gc=False):
    """A promise that somebody made to the customer; what was promised is in its events."""

    begins: ClassVar[StepName] = "made"
    ends: ClassVar[frozenset[StepName]] = frozenset({"kept", "broken"})

    @property
    def agent(self) -> str | None:
        """Who promised."""
        return self.steps[0].agent

    @property
    def state(self) -> Literal["open", "kept", "broken"]:
        if self.end is None:
            return "open"
        return "kept" if self.end.name == "kept" else "broken"

    def is_late(self, at: datetime) -> bool:
        """Whether it was settled after it was due, or is due and still open at the instant."""
        if self.due is None:
            return False
        return (at if self.end is None else self.end.by.time) > self.due

"""What a service says about its projection so that it can be built again and compared."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport_events.envelope import Record
from sqlalchemy import ColumnElement, Executable, MetaData, Table
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_runtime.contract import Subscription
from rapport_runtime.settings import Settings

Beside = Callable[[Table], Table]
"""The same table of the version that is about to be exchanged with the live one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is compared: for each key, how many rows there are and a digest of these columns.

    All columns must be functions of the log alone: neither of the clock nor of arrival.
    """

    name: str
    key: ColumnElement[Any]
    """Whom a row is about: a subject. Shown in reports, so never personal."""
    columns: Sequence[ColumnElement[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A projection: the tables that a subscription fills and nobody else."""

    name: str
    """Its other versions live in the schemas `<name>_next` and `<name>_previous`."""
    subscription: Subscription
    metadata: MetaData
    """Every table that `apply` may write to: a build has its own of each."""
    tables: Sequence[Table]
    """Those that a promotion exchanges. Readers who hold a snapshot lock the first one first."""
    parts: Sequence[Part]
    subjects: Callable[[Record], Collection[str]]
    """Whom an event is about: they and all linked to them are needed to fold any one of them."""
    carry_over: Callable[[Beside], Sequence[Executable]] = lambda _: ()
    """Statements that take over from the live version what is no function of the log."""

    seed: Callable[[Beside], Sequence[Executable]] = lambda _: ()
    """Statements for what an empty version begins with, beside the log."""

    @property
    def next(self) -> str:
        return f"{self.name}_next"

    @property
    def previous(self) -> str:
        return f"{self.name}_previous"

    @property
    def check(self) -> str:
        """The schema of what `verify` folds."""
        return f"{self.name}_verify"


Tell = Callable[[str, Mapping[str, object]], None]
"""Called with a step's name and its figures, as the work goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a projection is rebuilt."""

    projection: Projection
    settings: Settings
    engine: AsyncEngine
    """To the live version; without time limits on statements."""
    tell: Tell

"""One read by one caller: what they may see, how fresh it must be, and its audit row."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from rapport_privacy.keyring import Keyring
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.consistency import (
    AskedConsistency,
    Consistency,
    NotYetVisibleError,
    Positions,
    as_document,
)
from rapport_runtime.pool import Pool, Snapshot
from rapport_runtime.progress import Progress, read_positions
from rapport_runtime.standing import Progressed, lag_ms, load_progress
from rapport_runtime.trace import current_trace
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_profile import queries
from rapport_profile.audit import AuditTrail, Read
from rapport_profile.consumer import SUBSCRIPTION
from rapport_profile.domain.identity import Limits
from rapport_profile.history import NOW, When
from rapport_profile.mask import Mask
from rapport_profile.schemas.base import Meta

PROJECTOR: Final = SUBSCRIPTION.name

_LONGEST_READ: Final = 5.0
"""Seconds; a database that hangs must not hold its callers for the driver's 35."""

_Purpose = Annotated[
    str | None,
    Header(
        max_length=200,
        pattern=r"^[\x20-\x7e]*$",
        description="Why you read this person; kept in the audit trail. No personal data",
        examples=["ticket T-1042"],
    ),
]


@dataclass(frozen=True, slots=True)
class Library:
    """What reads are answered from; one per process."""

    engine: AsyncEngine
    pool: Pool
    keyring: Keyring
    trail: AuditTrail
    progress: Progress
    limits: Limits

    async def reach(self, positions: Positions, seconds: float) -> Positions | None:
        """Waits until events are projected: None, or how far it got."""
        # A token names the last event, a projector the next one.
        wanted = {place: offset + 1 for place, offset in positions.items()}
        if await self.progress.wait_for(self.engine, PROJECTOR, wanted, seconds):
            return None
        return await read_positions(self.engine, PROJECTOR)


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of the database: how far the projection was then, and what was asked of it."""

    progress: Sequence[Progressed]
    now: datetime
    when: When = NOW

    @property
    def instant(self) -> datetime:
        """The moment that the answer shows."""
        return self.when.instant(self.now)

    def meta(self, mask: Mask) -> Meta:
        asked = {name: time for name, time in self.when._asdict().items() if time is not None}
        return Meta(
            position=as_document({(p.topic, p.partition): p.next_offset for p in self.progress}),
            lag_ms=max((lag_ms(one, self.now) for one in self.progress), default=0),
            projection_version=PROJECTOR,
            masked=sorted(mask.masked),
            erased=sorted(mask.erased),
            partial=sorted(mask.partial),
            **asked,
        )


@dataclass(frozen=True, slots=True)
class Visit:
    """One read by one caller."""

    library: Library
    principal: Principal
    purpose: str | None
    consistency: Consistency

    def mask(self) -> Mask:
        return Mask(sees_personal=self.principal.has("profile:pii"))

    @asynccontextmanager
    async def snapshot(self, when: When = NOW) -> AsyncIterator[tuple[Snapshot, Moment]]:
        """One moment of the database for several statements. Raises NotYetVisibleError."""
        async with asyncio.timeout(_LONGEST_READ), queries.snapshot(self.library.pool) as snap:
            yield snap, self.moment(await load_progress(snap, PROJECTOR), when)

    async def look(self, subject: str, *, with_traits: bool) -> tuple[Moment, queries.Look]:
        """A person at one moment, in one statement. Raises NotYetVisibleError."""
        async with asyncio.timeout(_LONGEST_READ):
            found = await queries.look(
                self.library.pool, PROJECTOR, subject, with_traits=with_traits
            )
        return self.moment(found.progress), found

    def moment(self, progress: Sequence[Progressed], when: When = NOW) -> Moment:
        """Not before the caller's token: no answer is better than a stale one.

        Raises NotYetVisibleError.
        """
        reached = {(one.topic, one.partition): one.next_offset for one in progress}
        for place, offset in (self.consistency.positions or {}).items():
            if reached.get(place, 0) <= offset:
                raise NotYetVisibleError(0, reached)
        return Moment(progress, datetime.now(UTC), when)

    async def record(self, action: str, people: Iterable[str], fields: Iterable[str]) -> None:
        """Writes the read into the audit trail. Raises AuditUnavailableError."""
        at, shown = datetime.now(UTC), sorted(fields)
        await self.library.trail.record(
            [
                Read(
                    at=at,
                    key_id=self.principal.key_id,
                    principal=self.principal.name,
                    purpose=self.purpose,
                    action=action,
                    person=person,
                    fields=shown,
                    personal=self.principal.has("profile:pii"),
                    request_id=current_trace().trace_id,
                )
                for person in people
            ]
        )


async def _open(
    request: Request,
    principal: Annotated[Principal, requires("profile:read")],
    consistency: AskedConsistency,
    x_purpose: _Purpose = None,
) -> Visit:
    library: Library = request.app.state.library
    await consistency.honour(library.reach)
    return Visit(library, principal, x_purpose, consistency)


OpenVisit = Annotated[Visit, Depends(_open)]
"""For the signature of a read route: by then the caller may read, and their token is honoured."""

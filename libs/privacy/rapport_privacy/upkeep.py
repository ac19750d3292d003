"""What is done to a keyring now and then: erasing people, and keeping the ledger of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_privacy import erasure, expiry, lifting, listening, restore, store
from rapport_privacy.database import WRITE_SECONDS, reachable, vacuum
from rapport_privacy.erasure import Erasure
from rapport_privacy.expiry import Expired
from rapport_privacy.ledger import LedgerEntry, LedgerHead, verify_chain
from rapport_privacy.ledger_rows import load_head, load_ledger
from rapport_privacy.lifting import Lifted
from rapport_privacy.restore import Reapplied
from rapport_privacy.root import RootKey


class Upkeep:
    """The half of `Keyring` that operators and the privacy desk use.

    Every method raises KeyringUnavailableError when the database cannot be reached.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        root: RootKey,
        now: Callable[[], datetime],
        forget: Callable[[], None],
    ) -> None:
        """`forget`: drops all that this process remembers."""
        self._engine = engine
        # Reads need no BEGIN and COMMIT around them: two round trips less.
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._root = root
        self._now = now
        self._forget = forget
        # Changes wait for each other in the database; here they hold no connection meanwhile,
        # so that many erasures at once do not keep everybody else from looking things up.
        self._turn = asyncio.Lock()

    async def erase(
        self, subjects: Collection[str], *, certificate_id: str, dry_run: bool = False
    ) -> Erasure:
        """Destroys all keys and identifiers of the subjects, and suppresses the identifiers.

        One transaction. When it returns, no process started later can read them; this one cannot
        any more, others as soon as they hear of it, at the latest when their cache ends. May be
        repeated with its certificate.
        `dry_run` counts and changes nothing. Raises CertificateUsedError.
        """
        if dry_run:
            async with reachable(), self._reader.connect() as tx:
                return await erasure.rehearse(tx, subjects, certificate_id)
        async with self._changing() as tx:
            return await erasure.erase(
                tx,
                subjects,
                certificate_id=certificate_id,
                at=self._now(),
                suppress=self._root.suppression,
            )

    async def lift(self, identifiers: Mapping[str, str], *, certificate_id: str) -> Lifted:
        """Ends the suppression of NORMALISED identifiers, by kind: they may name somebody again.

        Whoever they name then is somebody new; what was erased stays so. May be repeated.
        """
        hmacs = [self.suppression_of(*one) for one in identifiers.items()]
        async with self._changing() as tx:
            return await lifting.lift(tx, hmacs, certificate_id=certificate_id, at=self._now())

    async def erased_as(
        self, identifiers: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        """Of (kind, NORMALISED value) those that are suppressed, and by which certificate."""
        by_hmac = {self.suppression_of(*one): one for one in identifiers}
        async with reachable(), self._reader.connect() as tx:
            found = await store.load_certificates(tx, by_hmac)
        return {by_hmac[hmac]: certificate for hmac, certificate in found.items()}

    def suppression_of(self, kind: str, value: str) -> bytes:
        """What would stay of a NORMALISED identifier after its erasure."""
        return self._root.suppression_of(kind, value)

    async def suppressed(self, suppressions: Collection[bytes]) -> set[bytes]:
        """Those of what `suppression_of` gave whose person was erased."""
        async with reachable(), self._reader.connect() as tx:
            return await store.load_suppressed(tx, suppressions)

    async def expire_months(self, *, before: str) -> Expired:
        """Destroys the keys of facts about nobody from the months before `before` (YYYY-MM).

        Raises ValueError for what is no month or lies in the future.
        """
        async with self._changing() as tx:
            return await expiry.expire_months(tx, before=before, at=self._now())

    async def ledger_head(self) -> LedgerHead:
        """To be kept outside of the database, and given to `open` as `at_least`."""
        async with reachable(), self._reader.connect() as tx:
            return await load_head(tx)

    async def export_ledger(self, *, after: int = 0) -> list[LedgerEntry]:
        """The erasures numbered above `after`. Keep a copy apart from the backups.

        Raises TamperedError when the whole ledger is asked for and its chain is broken.
        """
        async with reachable(WRITE_SECONDS), self._reader.connect() as tx:
            entries = await load_ledger(tx, after=after)
        if after == 0:
            verify_chain(entries)
        return entries

    async def reapply_ledger(self, entries: Sequence[LedgerEntry]) -> Reapplied:
        """Does the erasures of a ledger copy again, after an older backup was restored."""
        async with self._changing() as tx:
            return await restore.reapply(tx, entries, suppress=self._root.suppression)

    async def vacuum(self) -> None:
        """Rewrites the tables that keys were deleted from, so that the disk forgets them too.

        Keyring users wait meanwhile: seconds for a million keys.
        """
        async with reachable(None):
            await vacuum(self._engine.url)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with reachable(WRITE_SECONDS), self._turn, self._engine.begin() as tx:
                yield tx
                await listening.tell(tx)
        finally:
            # Also when the connection broke: the commit may have arrived.
            self._forget()

"""Opening a keyring: is it the right master key, and does the database know all erasures?"""

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_privacy.database import WRITE_SECONDS, create_engine, reachable
from rapport_privacy.ledger import GENESIS, LedgerHead
from rapport_privacy.master import MasterKey
from rapport_privacy.root import RootKey
from rapport_privacy.tables import erasure, keyring_meta


class StaleKeyringError(Exception):
    """The database lacks erasures that it once knew: it was restored from an older backup."""

    def __init__(self, expected: LedgerHead) -> None:
        super().__init__(
            f"This keyring does not know erasure {expected.number}, which was done before: it was"
            " restored from an older backup. Open it without `at_least`, call `reapply_ledger`"
            " with the copy of the ledger, and people who were erased will be so again."
        )


async def load_root(tx: AsyncConnection, master: MasterKey) -> RootKey:
    """The root key; the first to come makes it. Raises WrongMasterKeyError."""
    stored = (await tx.scalars(select(keyring_meta.c.wrapped_root))).one_or_none()
    if stored is None:
        row = {
            "id": 1,
            "wrapped_root": RootKey.new().wrapped_under(master),
            "ledger_number": 0,
            "ledger_digest": bytes.fromhex(GENESIS),
        }
        await tx.execute(insert(keyring_meta).values(row).on_conflict_do_nothing())
        stored = (await tx.scalars(select(keyring_meta.c.wrapped_root))).one()
    return RootKey.unwrapped(master, stored)


async def require_ledger(tx: AsyncConnection, at_least: LedgerHead) -> None:
    """Raises StaleKeyringError unless the ledger contains that head."""
    if at_least == LedgerHead(0, GENESIS):
        return
    rows = await tx.scalars(select(erasure.c.digest).where(erasure.c.number == at_least.number))
    if rows.one_or_none() != bytes.fromhex(at_least.digest):
        raise StaleKeyringError(at_least)


async def rotate_master_key(url: str, old: MasterKey, new: MasterKey) -> None:
    """Puts the root key under a new master key. Running services go on; give them the new key.

    Backups from before need the old key, so destroy it when the last of them is gone.
    Raises WrongMasterKeyError when `old` is not the present one.
    """
    engine = create_engine(url)
    try:
        async with reachable(WRITE_SECONDS), engine.begin() as tx:
            locked = select(keyring_meta.c.wrapped_root).with_for_update()
            root = RootKey.unwrapped(old, (await tx.scalars(locked)).one())
            await tx.execute(update(keyring_meta).values(wrapped_root=root.wrapped_under(new)))
    finally:
        await engine.dispose()

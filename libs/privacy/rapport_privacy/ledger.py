"""The ledger of erasures: what was destroyed, in a chain that shows a missing or altered entry."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from rapport_privacy.crypto import TamperedError, bind

GENESIS: Final = sha256(b"rapport erasure ledger v1").hexdigest()

ERASE: Final = "erase"
LIFT: Final = "lift"
EXPIRE: Final = "expire"


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """How far a ledger goes. Kept outside of the database, it unmasks a restored older one."""

    number: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> "LedgerHead":
        """The head from `str(head)`."""
        number, _, digest = text.strip().partition(":")
        if not (number.isdecimal() and len(digest) == len(GENESIS)):
            raise ValueError("a ledger head reads `<number>:<64 hexadecimal digits>`")
        return cls(int(number), digest)

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One erasure. No personal data: random key ids, and keyed hashes in hexadecimal.

    `action`: `erase` destroyed the keys of people and suppressed their identifiers, `lift` ended
    the suppressions, `expire` destroyed the keys of months.
    """

    number: int
    certificate_id: str
    at: datetime
    subjects: int
    key_ids: tuple[str, ...]
    suppressions: tuple[str, ...]
    digest: str = ""
    action: str = ERASE

    def digest_after(self, previous: str) -> str:
        """What this entry's digest must be when it follows an entry with digest `previous`."""
        parts = (
            previous,
            str(self.number),
            self.certificate_id,
            self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            str(self.subjects),
            ",".join(self.key_ids),
            ",".join(self.suppressions),
        )
        # Ledgers from before there were other actions keep their digests.
        named = () if self.action == ERASE else (self.action,)
        return sha256(bind(*parts, *named)).hexdigest()


def verify_chain(entries: Iterable[LedgerEntry]) -> LedgerHead:
    """The head of a whole ledger. Raises TamperedError when an entry is missing or was altered."""
    head = LedgerHead(0, GENESIS)
    for entry in entries:
        if entry.number != head.number + 1 or entry.digest != entry.digest_after(head.digest):
            raise TamperedError(f"the ledger of erasures is broken at entry {entry.number}")
        head = LedgerHead(entry.number, entry.digest)
    return head

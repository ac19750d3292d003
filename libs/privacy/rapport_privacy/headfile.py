"""The file that remembers how far the ledger of erasures goes, outside of the database."""

import os
from pathlib import Path
from uuid import uuid4

from rapport_privacy.ledger import LedgerHead


class LedgerHeadFileError(Exception):
    """The file cannot be used, so nobody knows whether the keyring has forgotten an erasure."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The ledger's head cannot be read from {path}: {reason}. Write it anew, once you are"
            " sure that the keyring was not restored from an older backup:"
            f" python -m rapport_privacy ledger head > {path}"
        )


def read_head(path: Path | None) -> LedgerHead | None:
    """The head for `Keyring.open(at_least=…)`; None without a path. Raises LedgerHeadFileError.

    A file that is missing is an error: a check that ends with its file would be none.
    """
    if path is None:
        return None
    try:
        return LedgerHead.parse(path.read_text("ascii"))
    except OSError as error:
        raise LedgerHeadFileError(path, type(error).__name__) from error
    except ValueError as error:
        raise LedgerHeadFileError(path, "it holds something else") from error


def write_head(path: Path, head: LedgerHead) -> None:
    """Replaces the file in one step; an older head never replaces a newer one. Raises OSError."""
    known = read_head(path) if path.exists() else None
    if known is not None and known.number >= head.number:
        return
    new = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with new.open("x", encoding="ascii") as file:
            file.write(f"{head}\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)

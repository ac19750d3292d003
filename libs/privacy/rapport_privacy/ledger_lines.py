"""Ledger entries as JSON lines: the copy that lies outside of the database."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

from rapport_privacy.ledger import LedgerEntry


def to_line(entry: LedgerEntry) -> str:
    """One entry on one line."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    return json.dumps({**asdict(entry), "at": at}, separators=(",", ":"))


def from_line(line: str) -> LedgerEntry:
    """The entry again. Raises ValueError when the line is none."""
    try:
        said = json.loads(line)
        return LedgerEntry(
            **{
                **said,
                "at": datetime.fromisoformat(said["at"]),
                "key_ids": tuple(said["key_ids"]),
                "suppressions": tuple(said["suppressions"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("this is no line of a ledger's export") from error

"""A request of a person about their own data, and how far it has come. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from rapport_events.envelope import event_key
from rapport_events.identity import CustomerErased
from rapport_events.topics import CUSTOMERS
from rapport_runtime.subscription import Derived

Kind = Literal["access", "erasure"]

ACCEPTED: Final = "accepted"
"""Written down; nothing else is certain."""
ERASING: Final = "erasing"
"""Keys and identifiers are destroyed; events that were on their way are waited for."""
PURGING: Final = "purging"
"""Published; the read models are being purged."""
COMPLETED: Final = "completed"

OPEN: Final = (ACCEPTED, ERASING, PURGING)

SOURCE: Final = "/rapport/profile"
ACTOR: Final = "rapport/profile"


class Purge(msgspec.Struct, frozen=True, kw_only=True):
    """What a projection deleted of one subject."""

    subject: str
    rows: Mapping[str, int]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request so far. No personal data: it is kept for ever."""

    unknown: Sequence[str] = ()
    """Kinds of given identifiers that name nobody."""
    key_ids: Sequence[str] = ()
    identifiers: int = 0
    """Destroyed, and suppressed from then on."""
    destroyed_at: datetime | None = None
    until: Mapping[str, Mapping[int, int]] | None = None
    """Topic to partition to the end of the log after the keys were destroyed."""
    published_at: datetime | None = None
    purges: Sequence[Purge] = ()
    rows: Mapping[str, int] = {}
    """Of a dry run: what would go from each table."""


class PrivacyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """As it is stored. The id of an erasure is the id of its certificate."""

    id: str
    kind: Kind
    status: str
    dry_run: bool
    requested_at: datetime
    requested_by: str
    purpose: str | None
    subjects: Sequence[str]
    finished_at: datetime | None = None
    findings: Findings = Findings()


def packed(findings: Findings) -> Any:  # noqa: ANN401 - what a JSON column takes
    return msgspec.to_builtins(findings, str_keys=True)


def unpacked(stored: object) -> Findings:
    return Findings() if stored is None else msgspec.convert(stored, Findings, str_keys=True)


def erased_events(request: PrivacyRequest) -> list[Derived]:
    """`customer.erased`, once for each subject: read models are keyed by subject.

    The ids follow from request and subject, so a repeat says the same under the same id.
    """
    at = request.findings.destroyed_at
    assert at is not None  # noqa: S101 - published after the keys are gone
    return [
        Derived(
            cause=event_key(SOURCE, str(UUID(request.id))),
            rule=f"erased/{subject}",
            topic=CUSTOMERS.name,
            source=SOURCE,
            type=CustomerErased.type,
            time=at,
            data={"certificate_id": request.id},
            subject=subject,
        )
        for subject in request.subjects
    ]


def is_purged(request: PrivacyRequest) -> bool:
    """Whether every subject was reported."""
    return set(request.subjects) <= {purge.subject for purge in request.findings.purges}


def rows_purged(purges: Sequence[Purge]) -> dict[str, int]:
    """Table to the number of rows that went, of all subjects together."""
    total: dict[str, int] = {}
    for purge in purges:
        for table, count in purge.rows.items():
            total[table] = total.get(table, 0) + count
    return dict(sorted(total.items()))

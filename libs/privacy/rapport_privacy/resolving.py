"""From identifiers to people: what is known, what must be created, and who must stay unknown."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_privacy.crypto import ERASED, DataKey, Erased, bind
from rapport_privacy.database import KeyringUnavailableError
from rapport_privacy.identifiers import strongest
from rapport_privacy.root import RootKey
from rapport_privacy.store import NewAlias, create_aliases, load_aliases, load_suppressed


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whose event it is. `linked`: subjects of its weaker identifiers, sorted.

    `subject` is None for an event that names nobody; `key` is then the key of the month.
    `kinds`: of the identifiers behind `subject` and each of `linked`, in that order.
    """

    subject: str | None
    linked: tuple[str, ...]
    key: DataKey
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The event names somebody who was erased, by identifiers of these kinds. Do not store it."""

    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Who is behind an identifier."""

    subject: str
    key: DataKey


Standing = Known | Erased
"""What there is behind a blind index; ERASED: suppressed."""

Indexed = Mapping[str, bytes]
"""An event's identifiers: kind to blind index."""

Named = Mapping[bytes, tuple[str, str]]
"""Blind index to kind and normalised value."""

_ATTEMPTS: Final = 5

SECONDS_PER_IDENTIFIER: Final = 0.001
"""What a batch may take beyond the usual limit, for each identifier that may have to be made."""


def answer(indexed: Indexed, known: Mapping[bytes, Standing]) -> Resolved | Suppressed:
    """What is known of the identifiers of one event; there is at least one."""
    strong = strongest(indexed)
    main: Known | None = None
    linked: list[tuple[str, str]] = []
    for kind, index in indexed.items():
        standing = known.get(index)
        if not isinstance(standing, Known):
            return _suppressed(indexed, known)
        if kind == strong:
            main = standing
        else:
            linked.append((standing.subject, kind))
    assert main is not None  # noqa: S101 - for the type checker
    linked.sort()
    kinds = (strong, *(kind for _, kind in linked))
    return Resolved(main.subject, tuple(subject for subject, _ in linked), main.key, kinds)


def to_create(events: Sequence[Indexed], known: Mapping[bytes, Standing]) -> set[bytes]:
    """Unknown identifiers, without those that are named only along with an erased person's."""
    return {
        index
        for indexed in events
        if not any(known.get(index) is ERASED for index in indexed.values())
        for index in indexed.values()
        if index not in known
    }


async def look_up(
    tx: AsyncConnection, root: RootKey, indexes: Collection[bytes]
) -> dict[bytes, Standing]:
    """What there is behind the blind indexes; nothing behind those that are new.

    The suppressions are read last: when an erasure comes between the two statements, they win.
    """
    stored = await load_aliases(tx, indexes)
    by_hmac = {root.suppression(index): index for index in indexes}
    suppressed = await load_suppressed(tx, by_hmac)
    found: dict[bytes, Standing] = {by_hmac[hmac]: ERASED for hmac in suppressed}
    for index, row in stored.items():
        if index not in found and row.subject_id is not None:
            found[index] = Known(
                row.subject_id, root.data_key(row.kid, row.subject_id, row.wrapped)
            )
    return found


async def create(tx: AsyncConnection, root: RootKey, named: Named) -> dict[bytes, Standing] | None:
    """Gives each identifier a subject and a key; None when an erasure came between: roll back.

    Looks again afterwards, because another process may have won an identifier, and because an
    erasure that held it may have ended while we waited for it.
    """
    await create_aliases(tx, [_offer(root, index, *name) for index, name in named.items()])
    found = await look_up(tx, root, named)
    if len(found) < len(named) or ERASED in found.values():
        return None
    return found


async def learn(
    engine: AsyncEngine,
    root: RootKey,
    events: Sequence[Indexed],
    named: Named,
    known: Mapping[bytes, Standing],
) -> dict[bytes, Standing]:
    """What there is behind the `named` identifiers of `events`, made where there was nothing.

    `known`: what is remembered of any of them. A new identifier that is named only along with
    an erased person's is left out.
    """
    for _ in range(_ATTEMPTS):
        # Looking needs no BEGIN and COMMIT around it: two round trips less.
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as reader:
            found = await look_up(reader, root, named)
        fresh = to_create(events, {**known, **found})
        if not fresh:
            return found
        async with engine.connect() as tx:
            created = await create(tx, root, {index: named[index] for index in fresh})
            if created is not None:
                await tx.commit()
                return found | created
    raise KeyringUnavailableError("the same people are being erased again and again")


def alias_place(subject: str, kind: str, blind_index: bytes) -> bytes:
    """What a sealed identifier is bound to: it opens in its own row only."""
    return bind("alias", subject, kind, blind_index.hex())


def _suppressed(indexed: Indexed, known: Mapping[bytes, Standing]) -> Suppressed:
    """Identifiers that were not even made, because another is suppressed, are not mentioned."""
    return Suppressed(tuple(kind for kind, index in indexed.items() if known.get(index) is ERASED))


def _offer(root: RootKey, blind_index: bytes, kind: str, value: str) -> NewAlias:
    subject, kid = str(uuid4()), str(uuid4())
    key, wrapped = root.new_data_key(kid, subject)
    return NewAlias(
        blind_index=blind_index,
        subject_id=subject,
        kind=kind,
        kid=kid,
        sealed=key.seal(value.encode(), alias_place(subject, kind, blind_index)),
        wrapped=wrapped,
    )

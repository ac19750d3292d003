"""Where people are reached, and what a message says to them, as the keyring knows it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

import orjson
from rapport_events.wire import Sealed
from rapport_runtime.people import Person, read_persons
from rapport_runtime.pool import Pool
from rapport_runtime.sender import (
    Contact,
    Ending,
    RecipientsUnavailableError,
    Requested,
    dead,
    suppressed,
)

from rapport_privacy.crypto import DataKey, Erased, TamperedError, unseal
from rapport_privacy.identifiers import EMAIL, PHONE, is_placeholder
from rapport_privacy.keyring import Keyring, KeyringUnavailableError, KnownIdentifier

_ERASED: Final = "erased"
_REFUSED: Final = suppressed("no_consent")

Refusals: TypeAlias = Callable[[Sequence[Requested]], Awaitable[Collection[str]]]
"""The actions among these that the people no longer agree to."""


class KeyringRecipients:
    """A person is reached at the newest address of any of their subjects.

    Before each attempt they are asked again, so to speak: days may lie between a decision and the
    attempt that gets through, and who says no meanwhile has said no.
    """

    def __init__(self, keyring: Keyring, pool: Pool, refusals: Refusals) -> None:
        self._keyring = keyring
        self._pool = pool
        self._refusals = refusals

    async def addresses(self, subjects: Collection[str]) -> Mapping[str, Contact]:
        """Raises RecipientsUnavailableError."""
        persons = await read_persons(self._pool, subjects)
        everybody = list(persons.subjects)
        try:
            keys = await self._keyring.keys_of(everybody)
            known = await self._keyring.identifiers(everybody)
        except KeyringUnavailableError as error:
            raise RecipientsUnavailableError from error
        gone = {subject for subject, key in keys.items() if isinstance(key, Erased)}
        return {one: _contact(persons.of(one), known, gone) for one in subjects}

    async def variables(
        self, requests: Sequence[Requested]
    ) -> Sequence[Mapping[str, Any] | Ending]:
        """Raises RecipientsUnavailableError."""
        kids = {one.data.pii.kid for one in requests if one.data.pii is not None}
        try:
            keys = await self._keyring.keys(kids) if kids else {}
        except KeyringUnavailableError as error:
            raise RecipientsUnavailableError from error
        refused = await self._refusals(requests)
        return [
            _REFUSED if one.action in refused else _open(one, one.data.pii, keys)
            for one in requests
        ]


def _contact(
    person: Person, known: Mapping[str, Sequence[KnownIdentifier]], gone: set[str]
) -> Contact:
    if person.erased or not gone.isdisjoint(person.members):
        return Contact(suppressed=_ERASED)
    identifiers = [one for member in person.members for one in known[member]]
    return Contact(_newest(identifiers, EMAIL), _newest(identifiers, PHONE))


def _newest(identifiers: Sequence[KnownIdentifier], kind: str) -> str | None:
    mine = [
        (one.since, one.value)
        for one in identifiers
        if one.kind == kind and not is_placeholder(kind, one.value)
    ]
    return max(mine)[1] if mine else None


def _open(
    request: Requested, blob: Sealed | None, keys: Mapping[str, DataKey | Erased]
) -> Mapping[str, Any] | Ending:
    if blob is None:
        return {}
    key = keys.get(blob.kid)
    if isinstance(key, Erased):
        return suppressed(_ERASED)
    if key is None:
        return dead("key_unknown")
    envelope = request.envelope
    try:
        personal = orjson.loads(
            unseal(key, blob, subject=envelope.subject, event_id=envelope.id, type_=envelope.type)
        )
    except (TamperedError, orjson.JSONDecodeError):
        return dead("unreadable")
    variables = personal.get("variables") if isinstance(personal, dict) else None
    return variables if isinstance(variables, dict) else {}

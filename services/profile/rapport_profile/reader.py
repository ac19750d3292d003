"""The only place that decrypts: events of the timeline, opened for one answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, final

import msgspec
import orjson
import structlog
from rapport_events.catalogue import BY_TYPE
from rapport_events.codec import decode
from rapport_events.envelope import Envelope
from rapport_events.event import pii_fields
from rapport_privacy.crypto import ERASED, DataKey, Erased, TamperedError, unseal
from rapport_privacy.keyring import Keyring

_log = structlog.get_logger(__name__)


@final
class Unreadable:
    """Stands where a value would be, had its seal not been broken or its key not been lost."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNREADABLE"


UNREADABLE: Final = Unreadable()

_PERSONAL: Final = {type_: pii_fields(event) for type_, event in BY_TYPE.items()}
_CUSTOM: Final = frozenset({"properties"})
_NOTHING: Final[Mapping[str, object]] = {}


class Stored(NamedTuple):
    """An event as the timeline keeps it."""

    key: bytes
    topic: int
    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """An event with its personal part in the clear, or with the reason why that cannot be."""

    stored: Stored
    envelope: Envelope
    clear: Mapping[str, object]
    personal: Mapping[str, object] | Erased | Unreadable

    @property
    def personal_names(self) -> Iterable[str]:
        """The personal fields it has; those that it may have had, when nobody can tell any more."""
        if isinstance(self.personal, Mapping):
            return self.personal
        return _PERSONAL.get(self.envelope.type, _CUSTOM)

    def personal_value(self, name: str) -> object:
        """One personal field, ERASED or UNREADABLE; None when the event never had it."""
        if isinstance(self.personal, Mapping):
            return self.personal.get(name)
        return self.personal if name in self.personal_names else None


async def open_events(keyring: Keyring, rows: Iterable[Stored]) -> list[Opened]:
    """Opens events in the order given, with one question to the keyring for all their keys.

    Raises KeyringUnavailableError.
    """
    parsed = [(row, envelope := decode(row.value), _data(envelope)) for row in rows]
    kids = {kid for _, _, data in parsed if (kid := _kid(data)) is not None}
    keys = await keyring.keys(kids) if kids else {}
    return [_open(row, envelope, data, keys) for row, envelope, data in parsed]


def _data(envelope: Envelope) -> dict[str, Any]:
    data = msgspec.json.decode(envelope.data)
    return data if isinstance(data, dict) else {}


def _kid(data: Mapping[str, Any]) -> str | None:
    blob = data.get("pii")
    kid = blob.get("kid") if isinstance(blob, dict) else None
    return kid if isinstance(kid, str) else None


def _open(
    row: Stored, envelope: Envelope, data: dict[str, Any], keys: Mapping[str, DataKey | Erased]
) -> Opened:
    blob = data.pop("pii", None)
    if blob is None:
        return Opened(row, envelope, data, _NOTHING)
    key = keys.get(_kid({"pii": blob}) or "")
    if isinstance(key, Erased):
        return Opened(row, envelope, data, ERASED)
    return Opened(row, envelope, data, _unseal(key, blob, envelope))


def _unseal(
    key: DataKey | None, blob: Mapping[str, Any], envelope: Envelope
) -> Mapping[str, object] | Unreadable:
    """A blob that does not open is told of and shown as such; the rest of the answer stands."""
    reason = "key unknown"
    if key is not None:
        try:
            plaintext = unseal(
                key, blob, subject=envelope.subject, event_id=envelope.id, type_=envelope.type
            )
            personal = orjson.loads(plaintext)
        except TamperedError:
            reason = "seal broken"
        except orjson.JSONDecodeError:
            reason = "not JSON"
        else:
            return personal if isinstance(personal, dict) else UNREADABLE
    _log.error("personal part unreadable", reason=reason, type=envelope.type)
    return UNREADABLE

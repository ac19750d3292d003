"""What customers wrote, sealed with their own keys on its way to the log, and opened for readers.

A key is asked for before a transaction begins: it is in another database.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, final

import orjson
import structlog
from rapport_privacy.crypto import ERASED, DataKey, Erased, TamperedError, seal, unseal
from rapport_privacy.keyring import Keyring
from rapport_runtime.outbox import derived_text
from rapport_runtime.subscription import Derived

_log = structlog.get_logger(__name__)


@final
class Unreadable:
    """Stands where a text would be, had its seal not been broken or its key not been lost."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNREADABLE"


UNREADABLE: Final = Unreadable()

Personal = Mapping[str, object] | Erased | Unreadable


class Sealed(NamedTuple):
    """A personal part, and what it is bound to."""

    blob: Mapping[str, Any]
    subject: str | None
    event_id: str
    type: str

    @property
    def kid(self) -> str:
        return str(self.blob.get("kid"))


def with_personal(key: DataKey, fact: Derived, personal: Mapping[str, object]) -> Derived:
    """The fact with its personal fields, which nobody reads without the key of its subject.

    Absent fields are left out; without any, the fact stays as it is.
    """
    given = {name: value for name, value in personal.items() if value not in (None, {})}
    if not given:
        return fact
    event_id = derived_text(fact.cause, fact.rule)
    blob = seal(
        key,
        subject=fact.subject,
        event_id=event_id,
        type_=fact.type,
        plaintext=orjson.dumps(given),
    )
    return fact._replace(data={**fact.data, "pii": blob}, id=event_id)


async def open_all(keyring: Keyring, sealed: Iterable[Sealed]) -> list[Personal]:
    """In the order given, with one question to the keyring. Raises KeyringUnavailableError."""
    wanted: Sequence[Sealed] = list(sealed)
    keys = await keyring.keys({one.kid for one in wanted}) if wanted else {}
    return [_open(keys.get(one.kid), one) for one in wanted]


def _open(key: DataKey | Erased | None, sealed: Sealed) -> Personal:
    """What does not open is told of and shown as such; the rest of an answer stands."""
    if isinstance(key, Erased):
        return ERASED
    reason = "key unknown"
    if key is not None:
        try:
            personal = orjson.loads(
                unseal(
                    key,
                    sealed.blob,
                    subject=sealed.subject,
                    event_id=sealed.event_id,
                    type_=sealed.type,
                )
            )
        except TamperedError:
            reason = "seal broken"
        except orjson.JSONDecodeError:
            reason = "not JSON"
        else:
            return personal if isinstance(personal, dict) else UNREADABLE
    _log.error("personal part unreadable", reason=reason, type=sealed.type)
    return UNREADABLE

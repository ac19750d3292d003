"""Records of the log as moments of a person, with the little of their personal part that counts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson
from msgspec.structs import replace
from rapport_events import wire
from rapport_events.codec import decode_again, decode_data
from rapport_events.envelope import Envelope, Record
from rapport_privacy.crypto import DataKey, Erased, TamperedError, unseal
from rapport_privacy.keyring import Keyring, KeyringUnavailableError

from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.moment import NOTHING_PERSONAL, Moment, Personal, reaches

_WITH_BIRTHDAYS: Final = frozenset({"customer.created.v1", "customer.identified.v1"})
_BIRTHDAY: Final = "birth_date"
_IDENTITY: Final = frozenset({"customer.merged.v1", "customer.unmerged.v1", "customer.erased.v1"})


class Arrived(NamedTuple):
    """A moment with where it stands in the log, and by which number it arrived."""

    moment: Moment
    record: Record
    seq: int = 0


class Kept(NamedTuple):
    """A row of the `moment` table."""

    seq: int
    key: bytes
    value: bytes
    birthday: int | None


async def arrived(
    records: Sequence[Record], types: Collection[str], keyring: Keyring
) -> list[Arrived]:
    """Of these types and about somebody, in the order of the log.

    Who is one person is heard elsewhere. Raises UndecodableEventError, and ConnectionError while
    the keyring is away: without it, birthdays would be lost.
    """
    found = [
        Arrived(moment_of(record.envelope, record.key, decode_data(record.envelope)), record)
        for record in records
        if record.envelope.type in types
        and record.envelope.type not in _IDENTITY
        and record.envelope.subject is not None
    ]
    birthdays = await _birthdays(found, keyring)
    if not birthdays:
        return found
    return [
        one._replace(moment=_with_birthday(one.moment, birthdays[one.moment.key]))
        if one.moment.key in birthdays
        else one
        for one in found
    ]


def remembered(kept: Kept) -> Moment:
    """The moment of a row."""
    envelope = decode_again(kept.value)
    moment = moment_of(envelope, kept.key, decode_data(envelope))
    if kept.birthday is None:
        return moment
    return _with_birthday(moment, divmod(kept.birthday, 100))


def birthday_number(moment: Moment) -> int | None:
    """Month * 100 + day."""
    birthday = moment.personal.birthday
    return None if birthday is None else birthday[0] * 100 + birthday[1]


def days_of(customer: Customer) -> tuple[int | None, int | None]:
    """Birthday and anniversary as the calendar looks for them; a day off is near enough."""
    birthday = customer.birthday and customer.birthday[0] * 100 + customer.birthday[1]
    bought = customer.bought
    anniversary = bought[0].at.month * 100 + bought[0].at.day if bought else None
    return birthday, anniversary


def moment_of(envelope: Envelope, key: bytes, data: wire.Data) -> Moment:
    """Without what only the keyring can open."""
    kinds = envelope.identifiedby
    return Moment(
        at=envelope.time,
        recorded=envelope.recordedtime,
        key=key,
        type=envelope.type,
        subject=envelope.subject or "",
        data=data,
        channel=envelope.channel,
        historical=envelope.historical,
        personal=NOTHING_PERSONAL if kinds is None else _known_by(kinds),
    )


@lru_cache(maxsize=1_024)
def _known_by(kinds: str) -> Personal:
    """Every event has such a list, and few of them differ."""
    return Personal(reaches=reaches(kinds.split(",")))


def _with_birthday(moment: Moment, birthday: tuple[int, int]) -> Moment:
    return replace(moment, personal=moment.personal._replace(birthday=birthday))


async def _birthdays(found: Sequence[Arrived], keyring: Keyring) -> Mapping[bytes, tuple[int, int]]:
    """By event key; one question to the keyring for all."""
    sealed = [
        (one, one.moment.data.pii)
        for one in found
        if one.moment.type in _WITH_BIRTHDAYS and one.moment.data.pii is not None
    ]
    if not sealed:
        return {}
    try:
        keys = await keyring.keys({pii.kid for _, pii in sealed})
    except KeyringUnavailableError as error:
        raise ConnectionError("the keyring is away") from error
    told = {}
    for one, pii in sealed:
        birthday = _birthday(_opened(one.record.envelope, pii, keys.get(pii.kid)))
        if birthday is not None:
            told[one.moment.key] = birthday
    return told


def _opened(
    envelope: Envelope, pii: wire.Sealed, key: DataKey | Erased | None
) -> Mapping[str, Any]:
    """What does not open has no birthday in it; whoever shows it tells of it."""
    if not isinstance(key, DataKey):
        return {}
    try:
        text = unseal(key, pii, subject=envelope.subject, event_id=envelope.id, type_=envelope.type)
        personal = orjson.loads(text)
    except (TamperedError, orjson.JSONDecodeError):
        return {}
    return personal if isinstance(personal, dict) else {}


def _birthday(personal: Mapping[str, Any]) -> tuple[int, int] | None:
    traits = personal.get("traits")
    given = personal.get(_BIRTHDAY)
    if given is None and isinstance(traits, dict):
        given = traits.get(_BIRTHDAY)
    try:
        day = date.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return None if day is None else (day.month, day.day)

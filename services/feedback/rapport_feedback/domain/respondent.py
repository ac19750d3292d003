"""What decides whether and how somebody is asked, told by their events in any order.

Everything is a last word, a set or a sum: to join two subjects, or the same events in another
order, comes to the same.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from rapport_events import wire
from rapport_events.envelope import Envelope

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

GRANTED: Final = "granted"
WITHDRAWN: Final = "withdrawn"
_LANGUAGE, _ZONE, _CHANNEL, _QUIET = "language", "tz", "channel", "quiet"
_SUPPRESSED, _EVER = "suppressed", "ever"
_EVERYWHERE: Final = "*"
"""Stands for every channel."""

_MOST_KINDS: Final = 32
"""A subject has one identifier, and events name a handful of others with it."""
_MOST_FEATURES: Final = 200
_MOST_COUNTED: Final = 1_000_000

ADDRESSED: Final = {"email": "email", "sms": "phone", "phone": "phone"}
"""Channels that need an identifier of this kind; on any other we reach who was there before."""


class Word(NamedTuple):
    """What was said last about something; the later of two is the greater."""

    at: int
    recorded: int
    key: bytes
    value: str


class Respondent(msgspec.Struct, array_like=True):
    """One subject. `words`: by what they are about; `uses`: by feature."""

    words: dict[str, Word] = {}
    kinds: set[str] = set()
    channels: set[str] = set()
    uses: dict[str, int] = {}

    def word(self, name: str) -> str | None:
        found = self.words.get(name)
        return None if found is None else found.value

    @property
    def language(self) -> str | None:
        return self.word(_LANGUAGE)

    @property
    def preferred_channel(self) -> str | None:
        return self.word(_CHANNEL)

    @property
    def quiet_hours(self) -> str | None:
        """`21:00-08:00`, as they wished."""
        return self.word(_QUIET)

    @property
    def zone(self) -> ZoneInfo | None:
        """None: not known, or no zone at all."""
        name = self.word(_ZONE)
        return None if name is None else known_zone(name)

    def consent(self, purpose: str, channel: str) -> str | None:
        """The last word on a use of a channel, whether it named the channel or all of them."""
        if not self.words:
            return None
        named = (self.words.get(f"{purpose}:{one}") for one in (channel, _EVERYWHERE))
        said = [word for word in named if word is not None]
        return max(said).value if said else None

    def is_suppressed(self, at: datetime) -> bool:
        """We do not write to them, whatever they allow: to answer a survey is a favour."""
        until = self.word(_SUPPRESSED)
        return bool(until) and (until == _EVER or datetime.fromisoformat(str(until)) > at)

    def is_reachable(self, channel: str) -> bool:
        needed = ADDRESSED.get(channel)
        return channel in self.channels if needed is None else needed in self.kinds


_PACK: Final = msgspec.msgpack.Encoder()
_UNPACK: Final = msgspec.msgpack.Decoder(Respondent)


def pack(state: Respondent) -> bytes:
    """The same bytes for the same state, whatever order it was told in."""
    return _PACK.encode(
        (
            dict(sorted(state.words.items())),
            sorted(state.kinds),
            sorted(state.channels),
            dict(sorted(state.uses.items())),
        )
    )


def unpack(packed: bytes) -> Respondent:
    return _UNPACK.decode(packed)


def join(states: Iterable[Respondent]) -> Respondent:
    """The person whose subjects these are."""
    joined = Respondent({}, set(), set(), {})
    for state in states:
        for name, word in state.words.items():
            _say(joined, name, word)
        joined.kinds |= state.kinds
        joined.channels |= state.channels
        for feature, count in state.uses.items():
            joined.uses[feature] = joined.uses.get(feature, 0) + count
    return joined


def meet(state: Respondent, envelope: Envelope) -> None:
    """What any event of theirs says: how they can be reached."""
    if envelope.channel is not None and envelope.channel not in state.channels:
        state.channels.add(envelope.channel)
    if envelope.identifiedby is not None and len(state.kinds) < _MOST_KINDS:
        state.kinds.update(kinds_of(envelope.identifiedby))


def hear(state: Respondent, envelope: Envelope, key: bytes, data: wire.Data) -> None:
    """What the event says of its own subject. Changes the state in place."""
    for name, value in _words(data):
        if value is not None:
            word = Word(micros(envelope.time), micros(envelope.recordedtime), key, value)
            _say(state, name, word)
    if isinstance(data, wire.FeatureUsed):
        _count(state, data)


HEARD: Final = frozenset(
    {
        "customer.created.v1",
        "preference.changed.v1",
        "consent.granted.v1",
        "consent.withdrawn.v1",
        "contact.suppressed.v1",
        "contact.resumed.v1",
        "message.unsubscribed.v1",
        "feature.used.v1",
    }
)
"""Types that `hear` takes something from."""


def _words(data: wire.Data) -> tuple[tuple[str, str | None], ...]:
    match data:
        case wire.CustomerCreated():
            agreed = GRANTED if data.email_consent else None
            return ((_LANGUAGE, data.language), (_ZONE, data.tz), ("marketing:email", agreed))
        case wire.PreferenceChanged():
            return (
                (_LANGUAGE, data.language),
                (_ZONE, data.tz),
                (_CHANNEL, data.preferred_channel),
                (_QUIET, data.quiet_hours),
            )
        case wire.ConsentGranted():
            return ((f"{data.purpose}:{data.channel or _EVERYWHERE}", GRANTED),)
        case wire.ConsentWithdrawn():
            return ((f"{data.purpose}:{data.channel or _EVERYWHERE}", WITHDRAWN),)
        case wire.ContactSuppressed():
            return ((_SUPPRESSED, _EVER if data.until is None else data.until.isoformat()),)
        case wire.ContactResumed():
            return ((_SUPPRESSED, ""),)
        case wire.MessageUnsubscribed():
            return ((f"marketing:{data.channel or _EVERYWHERE}", WITHDRAWN),)
    return ()


def _say(state: Respondent, name: str, word: Word) -> None:
    known = state.words.get(name)
    if known is None or known < word:
        state.words[name] = word


def _count(state: Respondent, data: wire.FeatureUsed) -> None:
    if data.feature not in state.uses and len(state.uses) >= _MOST_FEATURES:
        return
    times = state.uses.get(data.feature, 0) + times_of(data)
    state.uses[data.feature] = min(times, _MOST_COUNTED)


def times_of(data: wire.FeatureUsed) -> int:
    """How many uses the event tells of."""
    return 1 if data.count is None else max(0, min(data.count, _MOST_COUNTED))


def micros(time: datetime) -> int:
    """Microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=1_024)
def kinds_of(listed: str) -> frozenset[str]:
    """Every event has such a list, and few of them differ."""
    return frozenset(listed.split(","))


@lru_cache(maxsize=1_024)
def known_zone(name: str) -> ZoneInfo | None:
    """None for what is no IANA zone: a publisher may call it whatever they like."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None

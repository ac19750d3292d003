"""What is known of a person by name, and who said so. Folded when it is read: it is personal."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from rapport_profile.domain.state import Fact, Source
from rapport_profile.reader import Opened

_NO_TRAITS: Final = frozenset({"properties", "context", "identifiers"})


class Trait(NamedTuple):
    value: object
    by: Source
    is_personal: bool


def fold_traits(known: Mapping[str, Fact], opened: Iterable[Opened]) -> dict[str, Trait]:
    """Last writer wins for each name, by the time it happened; null takes a trait away.

    `known`: the traits that are no personal data, as the profile's state has them.
    """
    newest: dict[str, tuple[tuple[datetime, datetime, bytes], Trait]] = {}
    for event in opened:
        envelope = event.envelope
        order = (envelope.time, envelope.recordedtime, event.stored.key)
        by = Source(event.stored.key.hex(), envelope.source, envelope.time)
        for name, value in named(event):
            if name not in newest or newest[name][0] < order:
                newest[name] = (order, Trait(value, by, is_personal=True))
    traits = {name: Trait(fact.value, fact.by, is_personal=False) for name, fact in known.items()}
    for name, (_, trait) in newest.items():
        if name not in traits or traits[name].by.time < trait.by.time:
            traits[name] = trait
    return {name: trait for name, trait in sorted(traits.items()) if trait.value is not None}


def named(event: Opened) -> Iterable[tuple[str, object]]:
    """The traits that one event tells; none when it cannot be read."""
    if not isinstance(event.personal, Mapping):
        return ()
    told = event.personal.get("traits")
    traits = told if isinstance(told, Mapping) else {}
    if event.envelope.type.startswith("customer.grouped."):
        # The traits of a group are its own: the name of a firm is not the name of a person.
        return [(f"account.{name}", value) for name, value in traits.items()]
    fields = [(name, event.personal[name]) for name in event.personal if name not in _NO_TRAITS]
    return [*(item for item in fields if item[0] != "traits"), *traits.items()]

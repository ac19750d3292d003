"""What an explanation says in a sentence: as a fact only what was decided."""

from typing import Final

from rapport_personalization.explaining import Explanation
from rapport_personalization.standing import Unlogged

_WAS: Final = {
    "sent": "all gates were passed, so it acted",
    "waiting": "its time had not come yet",
    "no_candidate": "nothing had happened that starts it",
    "not_met": "when its time came, its occasion was gone",
    "holdout": "the customer is held out, to see what the trigger brings",
}

_WOULD: Final = {
    "sent": "all gates would have been passed",
    "waiting": "its time would not have come yet",
    "not_met": "when its time came, its occasion would have been gone",
    "holdout": "the customer would have been held out",
}

_STOOD: Final = {
    "draft": "was a draft then",
    "not_live": "was not live yet then",
    "paused": "was paused then",
    "retired": "was retired then",
}

_ENTRY: Final = frozenset({"historical", "score", "when", "delay"})
"""Between an event and an occasion."""

_DAYS: Final = frozenset({"birthday", "first_order"})

_NOT_TOLD: Final = frozenset({"waiting", "not_met"})
"""Of these no version in force decides anything."""


def sentence(found: Explanation, unlogged: Unlogged | None) -> str:
    """`unlogged`: why nothing was decided, where that is so."""
    if found.candidate is None:
        return _nothing(found)
    # A cart may be used again for years, and is decided on once.
    return f"{_of_occasion(found, unlogged)} (occasion of {found.candidate.at.date()})"


def _of_occasion(found: Explanation, unlogged: Unlogged | None) -> str:
    if unlogged is None or (unlogged.is_in_force and found.verdict in _NOT_TOLD):
        return _decided(found)
    would = _WOULD.get(found.verdict, f"the gate {found.gate} would have stopped it")
    return f"{_undecided(unlogged)}: {would}"


def _nothing(found: Explanation) -> str:
    if found.gate in _ENTRY:
        return f"what starts it had happened, and {found.gate} stopped it"
    if found.gate is None and found.gates and found.gates[0].name in _DAYS:
        return "no such day has come since it was known and the trigger was in force"
    return _WAS[found.verdict]


def _decided(found: Explanation) -> str:
    was = _WAS.get(found.verdict, f"the gate {found.gate} stopped it")
    if not found.shadow:
        return was
    if found.verdict == "sent":
        return "all gates were passed: it would have acted, but was in shadow"
    return f"{was}, in shadow"


def _undecided(unlogged: Unlogged) -> str:
    version = f"version {unlogged.version}"
    if unlogged.by is not None:
        return f"version {unlogged.by} decided on it, not {version}"
    if unlogged.is_in_force:
        return "nothing was decided on it"
    return f"{version} {_STOOD[unlogged.standing]}, and nothing was decided"

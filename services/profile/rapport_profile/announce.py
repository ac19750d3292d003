"""Tells the other services who has become one person, and who no longer is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapport_events import wire
from rapport_events.topics import CUSTOMERS
from rapport_runtime.outbox import derived_id
from rapport_runtime.subscription import Derived

from rapport_profile.domain.claims import Claims, Held
from rapport_profile.domain.fold import Fact
from rapport_profile.domain.identity import LINKED, SOURCE, Edge, Limits, pair_key, partition

MERGED: Final = "customer.merged.v1"
UNMERGED: Final = "customer.unmerged.v1"

_ACTOR: Final = "rapport/profile"
_EXPLICIT: Final = "explicit"


@dataclass(slots=True)
class Change:
    """An edge before and after a batch."""

    before: Held | None
    """None: nobody had told it."""
    after: Held
    is_erased: bool = False
    """One of its subjects was erased: that is told by `customer.erased`."""

    @property
    def key(self) -> bytes:
        return self.after.edge.merge_key


def announce(changes: Sequence[Change], claims: Claims) -> list[Derived]:
    """What follows for edges that came into force, or went out of it.

    Where a link comes into force a second time, its new id is noted in `after`.
    """
    turned = [
        change
        for change in changes
        if not change.is_erased
        and change.after.is_in_force != (change.before is not None and change.before.is_in_force)
    ]
    causes = _Causes(changes, claims)
    return [
        _merged(change, causes) if change.after.is_in_force else _unmerged(change, causes)
        for change in sorted(turned, key=lambda one: (one.after.edge.order, one.key))
    ]


def _merged(change: Change, causes: "_Causes") -> Derived:
    edge = change.after.edge
    fact = causes.of_merge(change)
    if edge.explicit:
        subject = fact[0].envelope.subject or edge.a
        other = edge.b if subject == edge.a else edge.a
        words = _words(fact[1], "aliased")
        return _derived(
            fact, edge.merge_key, _EXPLICIT, MERGED, subject, from_subject=other, **words
        )
    words = {"from_subject": edge.b, "reason": LINKED, "actor": _ACTOR}
    if change.before is None:
        return _derived(fact, pair_key(edge.a, edge.b), LINKED, MERGED, edge.a, **words)
    # The id that the pair makes may have been used, and every inbox would drop the second.
    rule = f"{LINKED} {edge.merge_key.hex()}"
    change.after = change.after._replace(announced=str(derived_id(fact[0].key, rule)))
    return _derived(fact, fact[0].key, rule, MERGED, edge.a, **words)


def _unmerged(change: Change, causes: "_Causes") -> Derived:
    edge = change.after.edge
    fact = causes.of_unmerge(change)
    words = _words(fact[1], "guard")
    rule = f"unmerged {edge.merge_key.hex()}"
    merge_id = change.after.announced or _first_id(edge)
    return _derived(fact, fact[0].key, rule, UNMERGED, edge.a, merge_event_id=merge_id, **words)


def _first_id(edge: Edge) -> str:
    """Under which the edge was announced first."""
    if edge.explicit:
        return str(derived_id(edge.merge_key, _EXPLICIT))
    return str(derived_id(pair_key(edge.a, edge.b), LINKED))


def _words(data: wire.Data, otherwise: str) -> dict[str, Any]:
    """Reason and actor as the cause tells them."""
    if isinstance(data, wire.CustomerMerged | wire.CustomerUnmerged):
        return {"reason": data.reason, "actor": data.actor}
    return {"reason": otherwise, "actor": _ACTOR}


def _derived(
    fact: Fact, cause: bytes, rule: str, type_: str, subject: str, **data: str | None
) -> Derived:
    envelope = fact[0].envelope
    return Derived(
        cause=cause,
        rule=rule,
        topic=CUSTOMERS.name,
        source=SOURCE,
        type=type_,
        time=envelope.time,
        data=data,
        subject=subject,
        attributes={
            "partitionkey": subject,
            "causationid": envelope.id,
            "correlationid": envelope.correlationid,
            "historical": envelope.historical,
        },
    )


class _Causes:
    """Which event of the batch brought a change about."""

    def __init__(self, changes: Sequence[Change], claims: Claims) -> None:
        self._changes = changes
        self._claims = claims
        self._by_root: dict[str, Fact] | None = None
        self._roots: dict[str, str] = {}

    def of_merge(self, change: Change) -> Fact:
        told_by = self._claims.told_by.get(change.key)
        if change.before is None and told_by is not None:
            return told_by
        return self._of_cluster(change.after.edge)

    def of_unmerge(self, change: Change) -> Fact:
        told_by = self._claims.told_by.get(change.after.cut_by or b"")
        return told_by if told_by is not None else self._of_cluster(change.after.edge)

    def _of_cluster(self, edge: Edge) -> Fact:
        """A guard judges differently because of something else that was said near by: the first."""
        if self._by_root is None:
            self._by_root = self._find()
        return self._by_root[self._roots[edge.a]]

    def _find(self) -> dict[str, Fact]:
        raw = (one.after.edge._replace(explicit=True, cut_at=None) for one in self._changes)
        for person in partition(raw, Limits()).persons:
            self._roots.update(dict.fromkeys(person, person[0]))
        found: dict[str, Fact] = {}
        for subject, fact in self._news():
            root = self._roots.get(subject, subject)
            if root not in found or fact[0].order < found[root][0].order:
                found[root] = fact
        return found

    def _news(self) -> Iterable[tuple[str, Fact]]:
        told_by = self._claims.told_by
        yield from self._claims.erased_by.items()
        for change in self._changes:
            edge, cut_by = change.after.edge, change.after.cut_by
            is_news = change.before is None or change.before.edge != edge
            fact = told_by.get(cut_by or b"") or told_by.get(edge.merge_key)
            if is_news and fact is not None:
                yield edge.a, fact

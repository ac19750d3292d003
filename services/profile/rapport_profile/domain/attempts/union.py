"""Sets of contacts that grow together, and by which rule each contact came in."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, Literal

from rapport_profile.domain.attempts.contact import Contact
from rapport_profile.domain.attempts.hearing import folded

Rule = Literal[
    "corrected", "ticket", "thread", "hand_over", "after_bot", "just_before", "called_again",
    "called_back", "order", "topic", "only_open",
]  # fmt: skip
"""Why a contact is part of an issue; `stitch` says what each means."""


class Union:
    """Union-find over refs; a ref may be named before, or without, there being such a contact."""

    def __init__(self, contacts: Iterable[Contact]) -> None:
        self.contacts: Final = {contact.ref: contact for contact in contacts}
        self.because: Final[dict[str, Rule]] = {}
        self._parent: Final[dict[str, str]] = {}
        self._topics: Final[dict[str, frozenset[str]]] = {}
        self._orders: Final[dict[str, frozenset[str]]] = {}
        for contact in self.contacts.values():
            if contact.topic is not None:
                self._topics[contact.ref] = frozenset({folded(contact.topic)})
            if contact.orders:
                self._orders[contact.ref] = frozenset(contact.orders)

    def root(self, ref: str) -> str:
        root = ref
        while (above := self._parent.get(root, root)) != root:
            root = above
        while self._parent.get(ref, root) != root:
            self._parent[ref], ref = root, self._parent[ref]
        return root

    def join(self, kept: str, newcomer: str, rule: Rule) -> None:
        """Makes two sets one, and remembers why the newcomer is in it."""
        low, high = sorted((self.root(kept), self.root(newcomer)))
        if low == high:
            return
        self._parent[high] = low
        for told in (self._topics, self._orders):
            told[low] = told.get(low, frozenset()) | told.pop(high, frozenset())
        self.because.setdefault(newcomer, rule)

    def topics(self, ref: str) -> frozenset[str]:
        """Topics of the set; intents and purposes are other vocabularies, and no contradiction."""
        return self._topics.get(self.root(ref), frozenset())

    def orders(self, ref: str) -> frozenset[str]:
        return self._orders.get(self.root(ref), frozenset())

    def agree_on_topic(self, one: str, other: str) -> bool:
        return _agree(self.topics(one), self.topics(other))

    def agree_on_order(self, one: str, other: str) -> bool:
        return _agree(self.orders(one), self.orders(other))

    def sets(self) -> list[list[Contact]]:
        """The contacts of each set, oldest first; the sets by their first contact."""
        found: dict[str, list[Contact]] = defaultdict(list)
        for contact in sorted(self.contacts.values(), key=lambda one: one.place):
            found[self.root(contact.ref)].append(contact)
        return list(found.values())


def _agree(one: frozenset[str], other: frozenset[str]) -> bool:
    """What is not told contradicts nothing."""
    return not one or not other or bool(one & other)

"""Which contacts are one issue.

The rules, the surest first; each looks at the whole history, so late events change nothing but
the truth:

1. `corrected`: an agent said so. Such a contact takes part in no other rule.
2. `ticket`, `thread`: a call's leg names the ticket, or the publisher's correlation id is a
   ticket, an order, a call, a conversation, or the same as another contact's.
3. Neighbours (`neighbours.py`): `hand_over`, `after_bot`, `just_before`, `called_again`,
   `called_back`.
4. `order`: the same order, within ORDER_WINDOW, and topics that do not contradict each other.
5. `topic`: the same topic, within WINDOW of each other or while the ticket is open, unless both
   name orders and none in common.
6. `only_open`: a contact that does not say what it is about, while exactly one issue is alive.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from rapport_profile.domain.attempts.contact import ASKING, Contact
from rapport_profile.domain.attempts.neighbours import join_neighbours
from rapport_profile.domain.attempts.union import Rule, Union

WINDOW: Final = timedelta(days=7)
"""As the KPI first contact resolution counts repeats (kpis.md 2.12): who comes back with the same
topic within a week has not been helped."""

OPEN_WINDOW: Final = timedelta(days=30)
"""How long after its last event an open ticket goes on: some publishers never close theirs."""

ORDER_WINDOW: Final = timedelta(days=30)
"""An order's delivery, defect and return hang together; a warranty case a year later does not."""

EARLY: Final = timedelta(hours=1)
"""How long before an issue's first named contact one without a topic may have begun it."""

_KINDS: Final = ("ticket", "order", "call", "bot", "return", "appointment")
_ALIASES: Final = {"conversation": "bot"}


def normal_ref(ref: str) -> str:
    """A ref in the one spelling that contacts have."""
    kind, colon, name = ref.partition(":")
    return f"{_ALIASES.get(kind, kind)}{colon}{name}"


def stitch(
    contacts: Sequence[Contact], corrected: Mapping[str, str | None], orders: Collection[str]
) -> Union:
    """The contacts, joined. `orders`: ids of the person's orders, for correlation ids."""
    known = {contact.ref for contact in contacts}
    known |= {f"order:{order}" for contact in contacts for order in contact.orders}
    known |= {f"order:{order}" for order in orders}
    threads = {contact.ref: _threads(contact, known) for contact in contacts}
    union = Union(contacts)
    _join_told(union, corrected, threads)
    free = [contact for contact in contacts if contact.ref not in corrected]
    join_neighbours(union, free)
    _join_orders(union, free)
    _join_topics(union, free)
    _join_lone(union, free)
    return union


def _threads(contact: Contact, known: Collection[str]) -> list[str]:
    """What the contact says it belongs to, as refs; orders among them become the contact's own."""
    found = []
    for thread in sorted(contact.threads):
        given = normal_ref(thread)
        options = [given, *(f"{kind}:{thread}" for kind in _KINDS)]
        ref = next((one for one in options if one in known), given)
        if ref.startswith("order:"):
            contact.orders.add(ref.removeprefix("order:"))
        elif ref != contact.ref:
            found.append(ref if ":" in ref else f"thread:{ref}")
    return found


def _join_told(
    union: Union, corrected: Mapping[str, str | None], threads: Mapping[str, Sequence[str]]
) -> None:
    for ref, issue in sorted(corrected.items()):
        if issue is not None and issue != ref:
            union.join(normal_ref(issue), ref, "corrected")
    for ref, told in threads.items():
        for thread in told if ref not in corrected else ():
            is_ticket = thread.startswith("ticket:")
            # A contact that an agent has moved takes nobody along, but what belongs to a ticket
            # goes where the ticket goes.
            if is_ticket or thread not in corrected:
                union.join(thread, ref, "ticket" if is_ticket else "thread")


def _join_orders(union: Union, free: Sequence[Contact]) -> None:
    by_order: dict[str, list[Contact]] = defaultdict(list)
    for contact in free:
        for order in sorted(contact.orders):
            by_order[order].append(contact)
    for _, same in sorted(by_order.items()):
        _join_chain(union, same, "order")


def _join_topics(union: Union, free: Sequence[Contact]) -> None:
    by_topic: dict[str, list[Contact]] = defaultdict(list)
    for contact in free:
        for topic in sorted(contact.topics):
            by_topic[topic].append(contact)
    for _, same in sorted(by_topic.items()):
        _join_chain(union, same, "topic")


def _join_chain(union: Union, same: Sequence[Contact], rule: Rule) -> None:
    """Joins each with the newest before it that still goes on and that it does not contradict."""
    agree = union.agree_on_topic if rule == "order" else union.agree_on_order
    alive: list[Contact] = []
    for contact in same:
        alive = [one for one in alive if contact.start <= _until(one, rule)]
        for earlier in reversed(alive):
            if agree(earlier.ref, contact.ref):
                union.join(earlier.ref, contact.ref, rule)
                break
        alive.append(contact)


def _until(contact: Contact, rule: Rule = "topic") -> datetime:
    if rule == "order":
        return contact.last_at + ORDER_WINDOW
    return contact.last_at + (OPEN_WINDOW if contact.is_open else WINDOW)


def _join_lone(union: Union, free: Sequence[Contact]) -> None:
    free_refs = {contact.ref for contact in free}
    sets = [[one for one in members if one.ref in free_refs] for members in union.sets()]
    asking = _Alive([members for members in sets if _asks(members)])
    named = _Alive([members for members in asking.sets if _is_named(union, members)])
    found = []
    for members in sets:
        if not _is_lone(members) or _is_named(union, members):
            continue
        # A visit to the store may be about an issue that nobody has named, too.
        issue = (named if _asks(members) else asking).only(members[0].start)
        if issue is not None:
            found.append((members[0], issue))
    for lone, issue in found:
        union.join(issue.ref, lone.ref, "only_open")


def _asks(members: Sequence[Contact]) -> bool:
    return any(one.kind in ASKING for one in members)


def _is_named(union: Union, members: Sequence[Contact]) -> bool:
    """Whether it is known what the set is about."""
    ref = members[0].ref
    has_ticket = any(one.kind == "ticket" for one in members)
    return has_ticket or bool(union.topics(ref)) or bool(union.orders(ref))


def _is_lone(members: Sequence[Contact]) -> bool:
    """What the bot solved is settled; help pages and errors alone belong to nothing."""
    return any(
        one.kind in {"visit", "appointment"} or (one.kind in ASKING and one.outcome != "solved")
        for one in members
    )


class _Alive:
    """When each of the sets is alive: from a little before each contact until it is forgotten."""

    def __init__(self, sets: Sequence[Sequence[Contact]]) -> None:
        self.sets: Final = sets
        self._spans: Final = sorted(
            (one.start - EARLY, _until(one), number)
            for number, members in enumerate(sets)
            for one in members
            if one.kind in ASKING
        )
        self._longest: Final = max(
            (until - since for since, until, _ in self._spans), default=timedelta(0)
        )

    def only(self, at: datetime) -> Contact | None:
        """The first contact of the set that is alive then, if there is just one."""
        first = bisect_left(self._spans, at - self._longest, key=lambda span: span[0])
        last = bisect_right(self._spans, at, key=lambda span: span[0])
        alive = {number for _, until, number in self._spans[first:last] if at <= until}
        return self.sets[alive.pop()][0] if len(alive) == 1 else None

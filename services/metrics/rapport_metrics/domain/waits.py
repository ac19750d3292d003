"""Who waits for whom while a ticket is open: we for the customer, or they for our next reply."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from rapport_metrics.domain.tickets import RESOLVED, Ticket
from rapport_metrics.domain.told import Told


class NextReply(NamedTuple):
    """A customer's word after our first reply, and what ended the waiting; None: nothing yet."""

    since: Told
    done: Told | None
    agent: str | None


class _What(IntEnum):
    """In this order at the same instant: what ends a wait does not begin the next one."""

    REOPENED = 0
    WORD = 1
    REPLY = 2
    RESOLVED = 3


def for_the_customer(ticket: Ticket) -> Iterator[tuple[int, int | None]]:
    """From each `pending` to the customer's next word, if there is one."""
    marks = [(told, True) for told in ticket.pendings] + [(w.told, False) for w in ticket.words]
    since = None
    for told, waits in sorted(marks):
        if waits and since is None:
            since = told.at
        elif not waits and since is not None:
            yield since, told.at
            since = None
    if since is not None:
        yield since, None


def for_the_next_reply(ticket: Ticket) -> Iterator[NextReply]:
    """From the first word that nobody has answered to our next reply, or to the resolution.

    Waiting for the very first reply is another number, and thanks for a resolution need no answer.
    """
    since: Told | None = None
    is_open, is_replied = True, False
    for told, what, agent in _course(ticket):
        ends = what in {_What.REPLY, _What.RESOLVED}
        if ends and since is not None:
            yield NextReply(since, told, agent)
            since = None
        elif what is _What.WORD and is_open and is_replied and since is None:
            since = told
        is_replied = is_replied or what is _What.REPLY
        is_open = what is not _What.RESOLVED and (is_open or what is _What.REOPENED)
    if since is not None:
        yield NextReply(since, None, None)


def _course(ticket: Ticket) -> list[tuple[Told, _What, str | None]]:
    """What happened since it was created, in order."""
    marks: list[tuple[Told, _What, str | None]] = [
        *((one.told, _What.REPLY, one.agent) for one in ticket.replies),
        *((one.told, _What.WORD, None) for one in ticket.words),
        *(
            (
                Told(one.at, one.key),
                _What.RESOLVED if one.what == RESOLVED else _What.REOPENED,
                one.agent,
            )
            for one in ticket.changes
        ),
    ]
    created = ticket.created
    kept = [mark for mark in marks if created is not None and mark[0].at >= created.at]
    return sorted(kept, key=lambda mark: (mark[0].at, mark[1], mark[0].key))

"""Contacts that follow each other so closely that the one led to the other."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from rapport_profile.domain.attempts.contact import ASKING, HUMAN, Contact
from rapport_profile.domain.attempts.union import Union

LED_TO: Final = timedelta(hours=1)
"""Who reads help, sees an error or leaves the bot, and asks within the hour, asks about that."""

SLACK: Final = timedelta(minutes=5)
"""A conversation with the bot is told when it has ended: the ticket may be there before."""

REDIAL: Final = timedelta(days=1)
"""Who hung up in the queue calls again; after a day it may be about anything."""

CALL_BACK: Final = timedelta(days=7)
"""How long a call of ours may be the one that was asked for."""


def join_neighbours(union: Union, free: Sequence[Contact]) -> None:
    """Joins each contact with the first one that it led to. `free`: oldest first."""
    asked = _Beginnings([one for one in free if one.kind in ASKING])
    calls = _Beginnings([one for one in free if one.kind == "call"])
    for contact in free:
        match contact.kind:
            case "help" | "error":
                _join_asked(union, asked, contact)
            case "bot" if contact.outcome != "solved":
                _join_human(union, asked, contact)
            case "call" if contact.outcome in {"abandoned", "waiting"}:
                _join_redial(union, calls, contact)
            case "callback":
                _join_call_back(union, calls, contact)


class _Beginnings:
    """Contacts by when each of their attempts began."""

    def __init__(self, contacts: Sequence[Contact]) -> None:
        self._places = sorted(
            (
                (one.started_at, contact.ref, contact)
                for contact in contacts
                for one in contact.attempts
            ),
            key=lambda place: place[:2],
        )

    def between(self, first: datetime, last: datetime, but: Contact) -> Iterator[Contact]:
        at = bisect_left(self._places, first, key=lambda place: place[0])
        for index in range(at, len(self._places)):
            start, _, contact = self._places[index]
            if start > last:
                return
            if contact is not but:
                yield contact


def _join_asked(union: Union, asked: _Beginnings, seen: Contact) -> None:
    for contact in asked.between(seen.start, seen.last_at + LED_TO, seen):
        if not contact.attempts[0].is_ours:
            union.join(contact.ref, seen.ref, "just_before")
            return


def _join_human(union: Union, asked: _Beginnings, bot: Contact) -> None:
    for contact in asked.between(bot.start - SLACK, bot.last_at + LED_TO, bot):
        if contact.kind in HUMAN and not contact.attempts[0].is_ours:
            is_given = bot.outcome == "handed_over"
            union.join(contact.ref, bot.ref, "hand_over" if is_given else "after_bot")
            return


def _join_redial(union: Union, calls: _Beginnings, missed: Contact) -> None:
    for call in calls.between(missed.start, missed.last_at + REDIAL, missed):
        is_ours = call.attempts[0].is_ours
        if not is_ours and union.agree_on_topic(missed.ref, call.ref):
            union.join(missed.ref, call.ref, "called_again")
            return


def _join_call_back(union: Union, calls: _Beginnings, asked: Contact) -> None:
    for call in calls.between(asked.start, asked.last_at + CALL_BACK, asked):
        if call.attempts[0].is_ours and union.agree_on_topic(asked.ref, call.ref):
            union.join(asked.ref, call.ref, "called_back")
            if call.outcome != "no_answer":
                asked.attempts[0].outcome = "called_back"
                return

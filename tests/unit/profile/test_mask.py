"""What of a person a caller without profile:pii sees, and what nobody sees any more."""

from rapport_privacy.crypto import ERASED
from rapport_profile.mask import Mask
from rapport_profile.reader import UNREADABLE
from rapport_profile.schemas.base import ErasedView, UnreadableView
from rapport_profile.traits import fold_traits
from rapport_profile.views.timeline import event

from tests.support.events import happened, new_subject
from tests.support.sealed import opened

TICKET = happened(
    "ticket.created", new_subject(), ticket="T-1", topic="delivery", context={"library": "x/1"}
)
WORDS = {"subject": "Where is it?", "context": {"ip": "203.0.113.9"}}


def test_who_may_not_see_personal_data_gets_null_and_is_told_so() -> None:
    mask = Mask(sees_personal=False)

    shown = event(opened(TICKET, WORDS), ["topic"], mask)

    assert shown.data == {
        "ticket": "T-1",
        "topic": "delivery",
        "subject": None,
        "context": {"library": "x/1"},
    }
    assert mask.masked == {"events[].data.subject", "events[].data.context"}


def test_who_may_see_it_gets_the_event_as_it_was_published() -> None:
    mask = Mask(sees_personal=True)

    shown = event(opened(TICKET, WORDS), ["topic"], mask)

    assert shown.data["subject"] == "Where is it?"
    assert shown.data["context"] == {"library": "x/1", "ip": "203.0.113.9"}
    assert not mask.masked


def test_what_was_erased_is_said_to_be_erased() -> None:
    mask = Mask(sees_personal=True)

    shown = event(opened(TICKET, ERASED), ["topic"], mask)

    assert shown.data["body"] == ErasedView(erased=True)
    assert shown.data["ticket"] == "T-1"
    assert "events[].data.body" in mask.erased


def test_a_broken_seal_is_shown_as_such_and_nothing_else_is_lost() -> None:
    shown = event(opened(TICKET, UNREADABLE), ["topic"], Mask(sees_personal=True))

    assert shown.data["subject"] == UnreadableView(unreadable=True)
    assert shown.data["topic"] == "delivery"


def test_erased_traits_are_not_guessed() -> None:
    told = happened("customer.identified", new_subject())

    assert (
        fold_traits({}, [opened(told, ERASED), opened(told, {"traits": {"a": 1}})])["a"].value == 1
    )

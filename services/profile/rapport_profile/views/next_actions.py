"""What an agent might do for a customer next, as our own services suggest it."""

from typing import Final

from rapport_profile.domain.state import Profile
from rapport_profile.domain.suggestions import Suggestion
from rapport_profile.schemas.work import NextActionView, ReasonView
from rapport_profile.views.facts import source

SHOWN: Final = 20

_TITLES: Final = {
    "answer_buyer": "Answer their question: they are about to buy",
    "keep_promise": "Keep a promise that is due",
    "parcel_late": "Tell them that their parcel is late",
    "recover_detractor": "Make up for a bad score",
    "save_subscription": "Ask why they want to cancel",
    "payment_failed": "Help them with a payment that failed",
    "keep_customer": "Call: they will probably not come back",
    "points_expiring": "Remind them of points that lapse soon",
    "due_again": "Ask whether they need more: it is time again",
    "birthday": "Congratulate them on their birthday within a week",
}


def next_actions(profile: Profile) -> list[NextActionView]:
    """Those that are open, the most urgent first."""
    open_ = [item for item in profile.suggestions.items() if item[1].state == "open"]
    ordered = sorted(open_, key=lambda item: (-(item[1].priority or 0), item[1].by.time, item[0]))
    return [next_action(*item) for item in ordered[:SHOWN]]


def next_action(name: str, one: Suggestion) -> NextActionView:
    rule = one.rule or ""
    return NextActionView(
        suggestion=name,
        rule=one.rule,
        title=_TITLES.get(rule, rule.replace("_", " ").capitalize()),
        priority=one.priority,
        ref=one.ref,
        due=one.due,
        value=one.value,
        currency=one.currency,
        reasons=[
            ReasonView(fact=reason.fact, value=reason.value, events=list(reason.events))
            for reason in one.reasons
        ],
        **source(one.by),
    )

"""What is told of an invitation: that somebody was asked, and what to send them; or why not."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from rapport_events.topics import FEEDBACK
from rapport_privacy.crypto import DataKey, seal
from rapport_privacy.keyring import Keyring
from rapport_runtime.outbox import derived_id
from rapport_runtime.subscription import Derived

from rapport_feedback.domain.asking import Case, Invited, NotInvited
from rapport_feedback.domain.texts import say
from rapport_feedback.marking import NOT_INVITED, SENT, SOURCE
from rapport_feedback.settings import FeedbackSettings
from rapport_feedback.tokens import make_link

ACTION: Final = "action.requested.v1"
TEMPLATE: Final = "survey_invitation"

_WITH_SENT: Final = ("ticket", "order", "agent", "team")
_WITH_NOT_INVITED: Final = ("ticket", "order")


def sent(case: Case, outcome: Invited, now: datetime) -> Derived:
    """Somebody was asked."""
    data = _of(case, _WITH_SENT) | {"channel": outcome.channel, "expires": outcome.expires}
    return _derived(case, SENT, now, data, outcome.channel)


def not_invited(case: Case, outcome: NotInvited, now: datetime) -> Derived:
    """Somebody was eligible, and is not asked."""
    data = _of(case, _WITH_NOT_INVITED) | {"reason": outcome.reason}
    return _derived(case, NOT_INVITED, now, data, None)


def action(
    case: Case,
    outcome: Invited,
    key: DataKey,
    now: datetime,
    settings: FeedbackSettings,
    keyring: Keyring,
) -> Derived:
    """What the sender is to do. The link lets anybody answer, so it is as personal as they are."""
    candidate = case.candidate
    rule = f"{ACTION} {candidate.survey}"
    variables = {
        "link": make_link(settings, keyring, candidate.survey, outcome.expires),
        "title": say(case.definition.title, outcome.language),
        "brand": settings.brand,
        "kind": candidate.kind,
    }
    sealed = seal(
        key,
        subject=candidate.subject,
        event_id=str(derived_id(candidate.cause, rule)),
        type_=ACTION,
        plaintext=orjson.dumps({"variables": variables}),
    )
    data = {
        "action": f"survey:{candidate.survey}",
        "template": TEMPLATE,
        "survey": candidate.survey,
        "channel": outcome.channel,
        "language": outcome.language,
        "purpose": "service",
        "expires": outcome.expires,
        "pii": sealed,
    }
    return _derived(case, ACTION, now, data, outcome.channel)


def _of(case: Case, refs: tuple[str, ...]) -> dict[str, Any]:
    candidate = case.candidate
    return {
        "survey": candidate.survey,
        "definition": f"{candidate.definition}@{candidate.version}",
        "rule": candidate.rule,
        "kind": candidate.kind,
        "about": candidate.about,
        **{name: candidate.refs.get(name) for name in refs},
    }


def _derived(
    case: Case, type_: str, now: datetime, data: Mapping[str, Any], channel: str | None
) -> Derived:
    subject = case.candidate.subject
    return Derived(
        cause=case.candidate.cause,
        rule=f"{type_} {case.candidate.survey}",
        topic=FEEDBACK.name,
        source=SOURCE,
        type=type_,
        time=now,
        data=data,
        subject=subject,
        attributes={"partitionkey": subject, "channel": channel},
    )

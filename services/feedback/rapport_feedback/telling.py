"""What is told of an invitation: that somebody was asked, and what to send them; or why not."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson
from rapport_events.topics import FEEDBACK
from rapport_privacy.crypto import DataKey, seal
from rapport_privacy.keyring import Keyring
from rapport_runtime.outbox import derived_text
from rapport_runtime.subscription import Derived

from rapport_feedback.domain.asking import Case, Invited, NotInvited
from rapport_feedback.domain.texts import say
from rapport_feedback.marking import NOT_INVITED, SENT, SOURCE
from rapport_feedback.settings import FeedbackSettings
from rapport_feedback.tokens import Links

ACTION: Final = "action.requested.v1"
TEMPLATE: Final = "survey_invitation"


class Letters(NamedTuple):
    """What the letters of a batch have in common."""

    links: Links
    brand: str
    titles: dict[tuple[str, int, str], str]
    """As far as they were needed, by definition, version and language."""

    @classmethod
    def of(cls, settings: FeedbackSettings, keyring: Keyring) -> "Letters":
        return cls(Links.of(settings, keyring), settings.brand, {})

    def title(self, case: Case, language: str) -> str:
        named = (case.candidate.definition, case.candidate.version, language)
        found = self.titles.get(named)
        if found is None:
            found = self.titles[named] = say(case.definition.title, language)
        return found


def sent(case: Case, outcome: Invited, now: datetime) -> Derived:
    """Somebody was asked."""
    data = _of(case)
    refs = case.candidate.refs
    data["agent"], data["team"] = refs.get("agent"), refs.get("team")
    data["channel"], data["expires"] = outcome.channel, outcome.expires
    return _derived(case, SENT, now, data, outcome.channel)


def not_invited(case: Case, outcome: NotInvited, now: datetime) -> Derived:
    """Somebody was eligible, and is not asked."""
    data = _of(case)
    data["reason"] = outcome.reason
    return _derived(case, NOT_INVITED, now, data, None)


def action(case: Case, outcome: Invited, key: DataKey, now: datetime, letters: Letters) -> Derived:
    """What the sender is to do. The link lets anybody answer, so it is as personal as they are."""
    candidate = case.candidate
    variables = {
        "link": letters.links.make(candidate.survey, outcome.expires),
        "title": letters.title(case, outcome.language),
        "brand": letters.brand,
        "kind": candidate.kind,
    }
    event_id = derived_text(candidate.cause, f"{ACTION} {candidate.survey}")
    sealed = seal(
        key,
        subject=candidate.subject,
        event_id=event_id,
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
    return _derived(case, ACTION, now, data, outcome.channel, event_id)


def _of(case: Case) -> dict[str, Any]:
    candidate = case.candidate
    return {
        "survey": candidate.survey,
        "definition": f"{candidate.definition}@{candidate.version}",
        "rule": candidate.rule,
        "kind": candidate.kind,
        "about": candidate.about,
        "ticket": candidate.refs.get("ticket"),
        "order": candidate.refs.get("order"),
    }


def _derived(
    case: Case,
    type_: str,
    now: datetime,
    data: Mapping[str, Any],
    channel: str | None,
    event_id: str | None = None,
) -> Derived:
    candidate = case.candidate
    return Derived(
        cause=candidate.cause,
        rule=f"{type_} {candidate.survey}",
        topic=FEEDBACK.name,
        source=SOURCE,
        type=type_,
        time=now,
        data=data,
        subject=candidate.subject,
        attributes={"partitionkey": candidate.subject, "channel": channel},
        id=event_id,
    )

"""Issues with their attempts, and what not to ask again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rapport_profile.domain.attempts.issue import Issue, Tried
from rapport_profile.domain.state import Profile
from rapport_profile.mask import Mask
from rapport_profile.reader import Opened
from rapport_profile.schemas.base import Text
from rapport_profile.schemas.issues import (
    AttemptView,
    CallbackView,
    DoNotAskView,
    IssueView,
    MeetingView,
    SpokeView,
)

ISSUES_SHOWN: Final = 20
"""Open issues in the 360° view; a customer with more has them in pages."""
ATTEMPTS_SHOWN: Final = 100

_WORDS: Final = ("subject", "text", "body")
"""Fields that hold a customer's words, the shortest first."""


def shown_attempts(issue: Issue) -> Sequence[Tried]:
    return issue.attempts[-ATTEMPTS_SHOWN:]


def worded(issues: Iterable[Issue]) -> set[str]:
    """Keys of the events whose words the issues show."""
    keys = set()
    for issue in issues:
        for one in shown_attempts(issue):
            keys.update(one.attempt.searches)
            if one.attempt.words is not None:
                keys.add(one.attempt.words)
    return keys


def issue(issue: Issue, profile: Profile, opened: Mapping[str, Opened], mask: Mask) -> IssueView:
    attempts = shown_attempts(issue)
    if len(attempts) < len(issue.attempts):
        mask.partial.add("issues[].attempts")
    return IssueView(
        issue=issue.ref,
        state=issue.state,
        topic=issue.topic,
        opened_at=issue.opened_at,
        last_at=issue.last_at,
        attempts=[_attempt(one, opened, mask) for one in attempts],
        do_not_ask_again=_do_not_ask(issue, profile, opened, mask),
    )


def _attempt(tried: Tried, opened: Mapping[str, Opened], mask: Mask) -> AttemptView:
    contact, attempt, because = tried
    return AttemptView(
        contact=contact.ref,
        kind=contact.kind,
        because=because,
        channel=attempt.channel,
        started_at=attempt.started_at,
        last_at=attempt.last_at,
        outcome=attempt.outcome,
        ours=attempt.is_ours,
        topic=contact.topic,
        words=_words(attempt.words, opened, mask),
        articles=attempt.articles,
        searches=_searches([tried], opened, mask),
        intent=attempt.intent,
        place=attempt.place,
        purpose=attempt.purpose,
        spoke_to=[SpokeView(agent=one.agent, team=one.team) for one in attempt.spoke],
        messages_in=attempt.messages_in,
        messages_out=attempt.messages_out,
        event=attempt.event,
    )


def _do_not_ask(
    issue: Issue, profile: Profile, opened: Mapping[str, Opened], mask: Mask
) -> DoNotAskView:
    attempts = shown_attempts(issue)
    told = [_words(one.attempt.words, opened, mask) for one in attempts]
    refs = {one.ref for one in issue.contacts}
    return DoNotAskView(
        known_by=issue.known_by,
        topic=issue.topic,
        about=issue.about,
        orders=issue.orders,
        tickets=issue.tickets,
        in_their_words=[words for words in told if words is not None],
        articles=issue.articles,
        searches=_searches(attempts, opened, mask),
        intents=issue.intents,
        spoke_to=[
            MeetingView(agent=met.spoke.agent, team=met.spoke.team, channel=met.channel, at=met.at)
            for met in issue.meetings
        ],
        callbacks_waiting=[
            CallbackView(
                asked_at=one.start,
                window=one.attempts[0].purpose,
                topic=one.topic,
                event=one.attempts[0].event,
            )
            for one in issue.callbacks
        ],
        promised=sorted(
            name
            for name, made in profile.commitments.items()
            if made.state == "open" and made.ref in refs
        ),
    )


def _searches(attempts: Iterable[Tried], opened: Mapping[str, Opened], mask: Mask) -> list[Text]:
    return [
        mask.text("issues[].searches", event.personal_value("query"))
        for one in attempts
        for key in one.attempt.searches
        if (event := opened.get(key)) is not None
    ]


def _words(key: str | None, opened: Mapping[str, Opened], mask: Mask) -> Text:
    event = opened.get(key or "")
    if event is None:
        return None
    values = (event.personal_value(name) for name in _WORDS)
    return mask.text("issues[].words", next((one for one in values if one is not None), None))

"""The topics as data: who writes each, who reads it, what it carries."""

from dataclasses import dataclass
from typing import Final

from rapport_events import engagement, feedback, identity, lifecycle, work
from rapport_events.catalogue import DOMAINS, EVENTS
from rapport_events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One Kafka topic. It has one writer, and is kept for ever unless it says otherwise.

    `key` says what the record key is; `carries` are the classes of its events. `custom`: it
    carries the publishers' own events (`custom.<name>.v1`) as well.
    """

    name: str
    writer: str
    readers: tuple[str, ...]
    key: str
    carries: tuple[type[Event], ...]
    custom: bool = False


_CONCLUSIONS: Final = frozenset(
    {
        identity.CustomerErased,
        *DOMAINS["lifecycle"],
        *DOMAINS["metrics"],
        engagement.DecisionMade,
        engagement.ActionRequested,
        engagement.SuggestionMade,
        engagement.SuggestionWithdrawn,
        feedback.SurveyNotInvited,
        feedback.LoopReminded,
    }
)
"""What only Rapport itself can know; everything else may come from a publisher."""

_PUBLISHED: Final = tuple(event for event in EVENTS if event not in _CONCLUSIONS)

INBOUND: Final = Topic(
    name="rapport.inbound.v1",
    writer="other internal systems",
    readers=("ingest",),
    key="any",
    carries=_PUBLISHED,
    custom=True,
)
INTERACTIONS: Final = Topic(
    name="rapport.interactions.v1",
    writer="ingest",
    readers=("profile", "personalization", "feedback", "metrics"),
    key="subject",
    carries=_PUBLISHED,
    custom=True,
)
CUSTOMERS: Final = Topic(
    name="rapport.customers.v1",
    writer="profile",
    readers=("profile", "personalization", "feedback", "metrics"),
    key="subject",
    carries=(
        identity.CustomerMerged,
        identity.CustomerUnmerged,
        identity.CustomerErased,
        lifecycle.LifecycleStageChanged,
        lifecycle.ScoreUpdated,
    ),
)
FEEDBACK: Final = Topic(
    name="rapport.feedback.v1",
    writer="feedback",
    readers=("profile", "personalization", "feedback", "metrics"),
    key="subject",
    carries=(
        *DOMAINS["feedback"],
        *DOMAINS["message"],
        engagement.ActionRequested,
        work.TaskCreated,
        work.TaskAssigned,
        work.TaskCompleted,
        work.TaskCancelled,
    ),
)
ENGAGEMENT: Final = Topic(
    name="rapport.engagement.v1",
    writer="personalization",
    readers=("profile", "personalization", "feedback", "metrics"),
    key="subject",
    carries=(
        *DOMAINS["engagement"],
        *DOMAINS["message"],
        *DOMAINS["consent"],
        lifecycle.ScoreUpdated,
        work.TaskCreated,
        work.TaskCancelled,
    ),
)
METRICS: Final = Topic(
    name="rapport.metrics.v1",
    writer="metrics",
    readers=("personalization",),
    key="kpi",
    carries=DOMAINS["metrics"],
)

TOPICS: Final = (INBOUND, INTERACTIONS, CUSTOMERS, FEEDBACK, ENGAGEMENT, METRICS)

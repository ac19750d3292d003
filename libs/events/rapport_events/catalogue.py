"""Every event there is, found by its type or by its Segment name."""

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final

from rapport_events import (
    call,
    commerce,
    consent,
    engagement,
    feedback,
    identity,
    lifecycle,
    loyalty,
    message,
    metrics,
    order,
    selfservice,
    social,
    store,
    subscription,
    ticket,
    web,
    work,
)
from rapport_events.custom import Custom, custom_type, is_custom
from rapport_events.event import Event

__all__ = [
    "BY_CALL",
    "BY_SEGMENT",
    "BY_TYPE",
    "CLASSES",
    "DOMAINS",
    "EVENTS",
    "Custom",
    "class_of",
    "custom_type",
    "is_custom",
    "segment_name",
]

DOMAINS: Final[Mapping[str, tuple[type[Event], ...]]] = MappingProxyType(
    {
        "identity": (
            identity.CustomerCreated,
            identity.CustomerIdentified,
            identity.CustomerAliased,
            identity.CustomerMerged,
            identity.CustomerUnmerged,
            identity.CustomerErased,
            identity.CustomerGrouped,
            identity.SessionSignedIn,
            identity.SessionSignedOut,
        ),
        "consent": (
            consent.ConsentGranted,
            consent.ConsentWithdrawn,
            consent.PreferenceChanged,
            consent.ContactSuppressed,
            consent.ContactResumed,
        ),
        "web": (
            web.PageViewed,
            web.ScreenViewed,
            web.SessionStarted,
            web.SearchPerformed,
            web.FormSubmitted,
            web.ErrorShown,
            web.FeatureUsed,
            web.ContentConsumed,
        ),
        "selfservice": (
            selfservice.HelpViewed,
            selfservice.HelpSearched,
            selfservice.HelpRated,
            selfservice.BotConversed,
        ),
        "commerce": (
            commerce.ProductViewed,
            commerce.WishlistAdded,
            commerce.CartUpdated,
            commerce.CheckoutStarted,
            commerce.PaymentFailed,
            commerce.ProductReviewed,
        ),
        "order": (
            order.OrderPlaced,
            order.OrderCancelled,
            order.OrderRefunded,
            order.OrderShipped,
            order.ShipmentDelayed,
            order.OrderDelivered,
            order.ReturnRequested,
            order.ReturnCompleted,
        ),
        "subscription": (
            subscription.SubscriptionStarted,
            subscription.SubscriptionRenewed,
            subscription.SubscriptionChanged,
            subscription.SubscriptionCancellationRequested,
            subscription.SubscriptionCancelled,
            subscription.SubscriptionEnded,
            subscription.InvoiceIssued,
            subscription.InvoicePaid,
            subscription.InvoiceDisputed,
        ),
        "ticket": (
            ticket.TicketCreated,
            ticket.TicketAssigned,
            ticket.TicketMessage,
            ticket.TicketPriorityChanged,
            ticket.TicketTopicChanged,
            ticket.TicketPending,
            ticket.TicketResolved,
            ticket.TicketReopened,
            ticket.TicketEscalated,
        ),
        "call": (
            call.CallOffered,
            call.CallAnswered,
            call.CallAbandoned,
            call.CallLegEnded,
            call.CallbackRequested,
        ),
        "social": (social.SocialMentioned,),
        "store": (
            store.StoreVisited,
            store.AppointmentBooked,
            store.AppointmentKept,
            store.AppointmentMissed,
        ),
        "loyalty": (
            loyalty.PointsEarned,
            loyalty.PointsRedeemed,
            loyalty.PointsExpired,
            loyalty.TierChanged,
            loyalty.ReferralMade,
        ),
        "message": (
            message.MessageSent,
            message.MessageDelivered,
            message.MessageBounced,
            message.MessageOpened,
            message.MessageClicked,
            message.MessageUnsubscribed,
        ),
        "work": (
            work.NoteAdded,
            work.NoteEdited,
            work.NoteRemoved,
            work.TaskCreated,
            work.TaskAssigned,
            work.TaskCompleted,
            work.TaskCancelled,
            work.CommitmentMade,
            work.CommitmentKept,
            work.CommitmentBroken,
            work.IssueCorrected,
            work.ProfileViewed,
        ),
        "feedback": (
            feedback.SurveySent,
            feedback.SurveyNotInvited,
            feedback.SurveyResponded,
            feedback.FeedbackClassified,
            feedback.LoopOpened,
            feedback.LoopReminded,
            feedback.LoopClosed,
        ),
        "lifecycle": (
            lifecycle.LifecycleStageChanged,
            lifecycle.ScoreUpdated,
        ),
        "engagement": (
            engagement.DecisionMade,
            engagement.ActionRequested,
            engagement.SuggestionMade,
            engagement.SuggestionWithdrawn,
            engagement.SuggestionAccepted,
            engagement.SuggestionDismissed,
            engagement.OfferIssued,
            engagement.OfferRedeemed,
        ),
        "metrics": (
            metrics.KpiRestated,
            metrics.AlertRaised,
            metrics.AlertCleared,
            metrics.ModelFitted,
        ),
    }
)
"""The classes by domain, in the order in which the catalogue page shows them."""

EVENTS: Final[tuple[type[Event], ...]] = tuple(chain.from_iterable(DOMAINS.values()))

CLASSES: Final[tuple[type[Event], ...]] = (*EVENTS, Custom)
"""The catalogue, and the class of everything else."""

BY_TYPE: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {event.type: event for event in EVENTS}
)


def segment_name(name: str) -> str:
    """A track event's name as it is compared: lower case, single spaces.

    "Order Completed", "order_completed" and "order-completed" are one name.
    """
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


BY_SEGMENT: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {segment_name(name): event for event in EVENTS for name in event.segment if not name.islower()}
)
"""Track events of the Segment spec, by `segment_name`."""

BY_CALL: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {name: event for event in EVENTS for name in event.segment if name.islower()}
)
"""Calls of the Segment spec: identify, alias, group, page, screen.
Apart from the track events, because somebody's track event may be called "page"."""


def class_of(type_: str) -> type[Event] | None:
    """The class that describes events of this type; None for a type nobody knows."""
    return BY_TYPE.get(type_) or (Custom if is_custom(type_) else None)

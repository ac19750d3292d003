"""The clear fields of every event, as consumers decode them.

Generated from the event classes by `python -m rapport_events.generate`: do not edit.
"""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct, field

Instant = Annotated[datetime, Meta(tz=True)]
SubjectId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
]


class Sealed(Struct, frozen=True, gc=False):
    """Personal data as it stands in the log: AES-256-GCM under the data key `kid`."""

    v: int
    kid: str
    n: str
    """Nonce, base64url without padding."""
    c: str
    """Ciphertext and tag, base64url without padding."""


class Clock(Struct, frozen=True, gc=False):
    """The times as the publisher's machine and ours said them."""

    original: str | int | float | None = None
    sent: str | int | float | None = None
    received: str | int | float | None = None
    clamped: bool = False


class Context(Struct, frozen=True, gc=False):
    """How the event came in; the personal rest of it is in `pii`."""

    clock: Clock | None = None
    library: str | None = None


class Data(Struct, frozen=True, kw_only=True, gc=False):
    """What the data of every event may hold."""

    context: Context | None = None
    pii: Sealed | None = None


class Item(Struct, frozen=True, kw_only=True, gc=False):
    """One line of a cart, an order or a return."""

    product: str | None = None
    name: str | None = None
    category: str | None = None
    brand: str | None = None
    variant: str | None = None
    quantity: int | None = None
    price: int | None = None


class Fact(Struct, frozen=True, kw_only=True, gc=False):
    """One reason of a decision, with the events that prove it."""

    fact: str
    value: str | None = None
    events: list[str] | None = None


class CustomerCreated(Data, frozen=True, kw_only=True, gc=False):
    """customer.created.v1"""

    segment: str | None = None
    tz: str | None = None
    language: str | None = None
    email_consent: bool | None = None


class CustomerIdentified(Data, frozen=True, kw_only=True, gc=False):
    """customer.identified.v1"""


class CustomerAliased(Data, frozen=True, kw_only=True, gc=False):
    """customer.aliased.v1"""

    previous_subject: SubjectId | None = None


class CustomerMerged(Data, frozen=True, kw_only=True, gc=False):
    """customer.merged.v1"""

    from_subject: SubjectId | None = None
    reason: str | None = None
    actor: str | None = None


class CustomerUnmerged(Data, frozen=True, kw_only=True, gc=False):
    """customer.unmerged.v1"""

    merge_event_id: str
    merge_source: str | None = None
    reason: str | None = None
    actor: str | None = None


class CustomerErased(Data, frozen=True, kw_only=True, gc=False):
    """customer.erased.v1"""

    keys_destroyed: int | None = None
    certificate_id: str | None = None


class CustomerGrouped(Data, frozen=True, kw_only=True, gc=False):
    """customer.grouped.v1"""

    account_id: str


class SessionSignedIn(Data, frozen=True, kw_only=True, gc=False):
    """session.signed_in.v1"""

    method: str | None = None


class SessionSignedOut(Data, frozen=True, kw_only=True, gc=False):
    """session.signed_out.v1"""

    method: str | None = None


class ConsentGranted(Data, frozen=True, kw_only=True, gc=False):
    """consent.granted.v1"""

    channel: str | None = None
    purpose: str
    proof: str | None = None
    policy_version: str | None = None


class ConsentWithdrawn(Data, frozen=True, kw_only=True, gc=False):
    """consent.withdrawn.v1"""

    channel: str | None = None
    purpose: str
    proof: str | None = None
    policy_version: str | None = None


class PreferenceChanged(Data, frozen=True, kw_only=True, gc=False):
    """preference.changed.v1"""

    language: str | None = None
    tz: str | None = None
    preferred_channel: str | None = None
    quiet_hours: str | None = None


class ContactSuppressed(Data, frozen=True, kw_only=True, gc=False):
    """contact.suppressed.v1"""

    scope: str
    until: Instant | None = None
    reason: str | None = None


class ContactResumed(Data, frozen=True, kw_only=True, gc=False):
    """contact.resumed.v1"""

    reason: str | None = None


class PageViewed(Data, frozen=True, kw_only=True, gc=False):
    """page.viewed.v1"""

    session: str | None = None
    page: str | None = None


class ScreenViewed(Data, frozen=True, kw_only=True, gc=False):
    """screen.viewed.v1"""

    session: str | None = None
    screen: str | None = None


class SessionStarted(Data, frozen=True, kw_only=True, gc=False):
    """session.started.v1"""

    session: str | None = None
    device_class: str | None = None
    campaign: str | None = None


class SearchPerformed(Data, frozen=True, kw_only=True, gc=False):
    """search.performed.v1"""

    results: int | None = None


class FormSubmitted(Data, frozen=True, kw_only=True, gc=False):
    """form.submitted.v1"""

    form_id: str


class ErrorShown(Data, frozen=True, kw_only=True, gc=False):
    """error.shown.v1"""

    code: str
    page: str | None = None


class FeatureUsed(Data, frozen=True, kw_only=True, gc=False):
    """feature.used.v1"""

    feature: str
    count: int | None = None


class ContentConsumed(Data, frozen=True, kw_only=True, gc=False):
    """content.consumed.v1"""

    content_id: str
    kind: str | None = None


class HelpViewed(Data, frozen=True, kw_only=True, gc=False):
    """help.viewed.v1"""

    session: str | None = None
    article: str


class HelpSearched(Data, frozen=True, kw_only=True, gc=False):
    """help.searched.v1"""

    session: str | None = None
    results: int | None = None


class HelpRated(Data, frozen=True, kw_only=True, gc=False):
    """help.rated.v1"""

    article: str
    helpful: bool | None = None


class BotConversed(Data, frozen=True, kw_only=True, gc=False):
    """bot.conversed.v1"""

    conversation: str
    intent: str | None = None
    outcome: str | None = None


class ProductViewed(Data, frozen=True, kw_only=True, gc=False):
    """product.viewed.v1"""

    product: str | None = None
    category: str | None = None
    value: int | None = None
    currency: str | None = None


class WishlistAdded(Data, frozen=True, kw_only=True, gc=False):
    """wishlist.added.v1"""

    product: str | None = None


class CartUpdated(Data, frozen=True, kw_only=True, gc=False):
    """cart.updated.v1"""

    cart: str | None = None
    change: str | None = None
    value: int | None = None
    currency: str | None = None
    items: list[Item] | None = None


class CheckoutStarted(Data, frozen=True, kw_only=True, gc=False):
    """checkout.started.v1"""

    cart: str | None = None
    order: str | None = None
    value: int | None = None
    currency: str | None = None
    items: list[Item] | None = None


class PaymentFailed(Data, frozen=True, kw_only=True, gc=False):
    """payment.failed.v1"""

    order: str | None = None
    invoice: str | None = None
    amount: int | None = None
    currency: str | None = None
    reason: str | None = None


class ProductReviewed(Data, frozen=True, kw_only=True, gc=False):
    """product.reviewed.v1"""

    product: str | None = None
    rating: int | None = None


class OrderPlaced(Data, frozen=True, kw_only=True, gc=False):
    """order.placed.v1"""

    order: str | None = None
    amount: int | None = None
    currency: str | None = None
    margin: int | None = None
    coupon: str | None = None
    store: str | None = None
    product: str | None = None
    items: list[Item] | None = None


class OrderCancelled(Data, frozen=True, kw_only=True, gc=False):
    """order.cancelled.v1"""

    order: str
    reason: str | None = None


class OrderRefunded(Data, frozen=True, kw_only=True, gc=False):
    """order.refunded.v1"""

    order: str
    refund: str | None = None
    amount: int | None = None
    currency: str | None = None
    reason: str | None = None


class OrderShipped(Data, frozen=True, kw_only=True, gc=False):
    """order.shipped.v1"""

    order: str
    shipment: str | None = None
    carrier: str | None = None
    eta: Instant | None = None


class ShipmentDelayed(Data, frozen=True, kw_only=True, gc=False):
    """shipment.delayed.v1"""

    order: str
    shipment: str | None = None
    eta_before: Instant | None = None
    eta_after: Instant | None = None
    reason: str | None = None


class OrderDelivered(Data, frozen=True, kw_only=True, gc=False):
    """order.delivered.v1"""

    order: str
    shipment: str | None = None
    on_time: bool | None = None


class ReturnRequested(Data, frozen=True, kw_only=True, gc=False):
    """return.requested.v1"""

    order: str | None = None
    return_: str = field(name="return")
    reason: str | None = None
    about: str | None = None
    items: list[Item] | None = None


class ReturnCompleted(Data, frozen=True, kw_only=True, gc=False):
    """return.completed.v1"""

    order: str | None = None
    return_: str = field(name="return")
    resolution: str | None = None


class SubscriptionStarted(Data, frozen=True, kw_only=True, gc=False):
    """subscription.started.v1"""

    subscription: str
    plan: str | None = None
    amount: int | None = None
    currency: str | None = None
    period: str | None = None
    reason: str | None = None


class SubscriptionRenewed(Data, frozen=True, kw_only=True, gc=False):
    """subscription.renewed.v1"""

    subscription: str
    plan: str | None = None
    amount: int | None = None
    currency: str | None = None
    period: str | None = None
    reason: str | None = None


class SubscriptionChanged(Data, frozen=True, kw_only=True, gc=False):
    """subscription.changed.v1"""

    subscription: str
    plan: str | None = None
    amount: int | None = None
    currency: str | None = None
    period: str | None = None
    reason: str | None = None


class SubscriptionCancellationRequested(Data, frozen=True, kw_only=True, gc=False):
    """subscription.cancellation_requested.v1"""

    subscription: str
    reason: str | None = None


class SubscriptionCancelled(Data, frozen=True, kw_only=True, gc=False):
    """subscription.cancelled.v1"""

    subscription: str
    plan: str | None = None
    amount: int | None = None
    currency: str | None = None
    period: str | None = None
    reason: str | None = None


class SubscriptionEnded(Data, frozen=True, kw_only=True, gc=False):
    """subscription.ended.v1"""

    subscription: str
    plan: str | None = None
    amount: int | None = None
    currency: str | None = None
    period: str | None = None
    reason: str | None = None


class InvoiceIssued(Data, frozen=True, kw_only=True, gc=False):
    """invoice.issued.v1"""

    invoice: str
    amount: int | None = None
    currency: str | None = None
    due: Instant | None = None


class InvoicePaid(Data, frozen=True, kw_only=True, gc=False):
    """invoice.paid.v1"""

    invoice: str
    amount: int | None = None
    currency: str | None = None
    due: Instant | None = None


class InvoiceDisputed(Data, frozen=True, kw_only=True, gc=False):
    """invoice.disputed.v1"""

    invoice: str
    amount: int | None = None
    currency: str | None = None
    due: Instant | None = None
    reason: str | None = None


class TicketCreated(Data, frozen=True, kw_only=True, gc=False):
    """ticket.created.v1"""

    ticket: str
    topic: str | None = None
    about: str | None = None
    priority: str | None = None


class TicketAssigned(Data, frozen=True, kw_only=True, gc=False):
    """ticket.assigned.v1"""

    ticket: str
    agent: str | None = None
    team: str | None = None


class TicketMessage(Data, frozen=True, kw_only=True, gc=False):
    """ticket.message.v1"""

    ticket: str
    direction: str | None = None
    agent: str | None = None
    bot: bool | None = None
    public: bool | None = None
    sentiment: int | None = None


class TicketPriorityChanged(Data, frozen=True, kw_only=True, gc=False):
    """ticket.priority_changed.v1"""

    ticket: str
    before: str | None = None
    after: str | None = None


class TicketTopicChanged(Data, frozen=True, kw_only=True, gc=False):
    """ticket.topic_changed.v1"""

    ticket: str
    before: str | None = None
    after: str | None = None


class TicketPending(Data, frozen=True, kw_only=True, gc=False):
    """ticket.pending.v1"""

    ticket: str
    waiting_for: str | None = None


class TicketResolved(Data, frozen=True, kw_only=True, gc=False):
    """ticket.resolved.v1"""

    ticket: str
    agent: str | None = None
    team: str | None = None


class TicketReopened(Data, frozen=True, kw_only=True, gc=False):
    """ticket.reopened.v1"""

    ticket: str
    reason: str | None = None


class TicketEscalated(Data, frozen=True, kw_only=True, gc=False):
    """ticket.escalated.v1"""

    ticket: str
    to_team: str | None = None
    reason: str | None = None


class CallOffered(Data, frozen=True, kw_only=True, gc=False):
    """call.offered.v1"""

    call: str
    topic: str | None = None
    queue: str | None = None
    direction: str | None = None


class CallAnswered(Data, frozen=True, kw_only=True, gc=False):
    """call.answered.v1"""

    call: str
    agent: str | None = None
    team: str | None = None
    wait: int | None = None


class CallAbandoned(Data, frozen=True, kw_only=True, gc=False):
    """call.abandoned.v1"""

    call: str
    wait: int | None = None


class CallLegEnded(Data, frozen=True, kw_only=True, gc=False):
    """call.leg_ended.v1"""

    call: str
    leg: int | None = None
    agent: str | None = None
    team: str | None = None
    talk: int | None = None
    hold: int | None = None
    wrap: int | None = None
    transferred: bool | None = None
    ticket: str | None = None


class CallbackRequested(Data, frozen=True, kw_only=True, gc=False):
    """callback.requested.v1"""

    window: str | None = None
    topic: str | None = None


class SocialMentioned(Data, frozen=True, kw_only=True, gc=False):
    """social.mentioned.v1"""

    network: str | None = None
    post: str
    sentiment: int | None = None


class StoreVisited(Data, frozen=True, kw_only=True, gc=False):
    """store.visited.v1"""

    store: str
    purpose: str | None = None


class AppointmentBooked(Data, frozen=True, kw_only=True, gc=False):
    """appointment.booked.v1"""

    appointment: str
    at: Instant | None = None
    kind: str | None = None
    agent: str | None = None


class AppointmentKept(Data, frozen=True, kw_only=True, gc=False):
    """appointment.kept.v1"""

    appointment: str
    at: Instant | None = None
    kind: str | None = None
    agent: str | None = None


class AppointmentMissed(Data, frozen=True, kw_only=True, gc=False):
    """appointment.missed.v1"""

    appointment: str
    at: Instant | None = None
    kind: str | None = None
    agent: str | None = None


class PointsEarned(Data, frozen=True, kw_only=True, gc=False):
    """points.earned.v1"""

    points: int
    reason: str | None = None
    order: str | None = None


class PointsRedeemed(Data, frozen=True, kw_only=True, gc=False):
    """points.redeemed.v1"""

    points: int
    reason: str | None = None
    order: str | None = None


class PointsExpired(Data, frozen=True, kw_only=True, gc=False):
    """points.expired.v1"""

    points: int
    reason: str | None = None
    order: str | None = None


class TierChanged(Data, frozen=True, kw_only=True, gc=False):
    """tier.changed.v1"""

    before: str | None = None
    after: str | None = None


class ReferralMade(Data, frozen=True, kw_only=True, gc=False):
    """referral.made.v1"""

    code: str | None = None
    converted: bool | None = None


class MessageSent(Data, frozen=True, kw_only=True, gc=False):
    """message.sent.v1"""

    message: str | None = None
    action: str | None = None
    template: str | None = None
    channel: str | None = None
    reason: str | None = None


class MessageDelivered(Data, frozen=True, kw_only=True, gc=False):
    """message.delivered.v1"""

    message: str | None = None
    action: str | None = None
    template: str | None = None
    channel: str | None = None
    reason: str | None = None


class MessageBounced(Data, frozen=True, kw_only=True, gc=False):
    """message.bounced.v1"""

    message: str | None = None
    action: str | None = None
    template: str | None = None
    channel: str | None = None
    reason: str | None = None


class MessageOpened(Data, frozen=True, kw_only=True, gc=False):
    """message.opened.v1"""

    message: str | None = None
    action: str | None = None
    template: str | None = None
    channel: str | None = None
    reason: str | None = None


class MessageClicked(Data, frozen=True, kw_only=True, gc=False):
    """message.clicked.v1"""

    message: str | None = None
    action: str | None = None
    template: str | None = None
    channel: str | None = None
    reason: str | None = None


class MessageUnsubscribed(Data, frozen=True, kw_only=True, gc=False):
    """message.unsubscribed.v1"""

    message: str | None = None
    action: str | None = None
    template: str | None = None
    channel: str | None = None
    reason: str | None = None


class NoteAdded(Data, frozen=True, kw_only=True, gc=False):
    """note.added.v1"""

    note: str
    ref: str | None = None
    agent: str | None = None
    pinned: bool | None = None


class NoteEdited(Data, frozen=True, kw_only=True, gc=False):
    """note.edited.v1"""

    note: str
    ref: str | None = None
    agent: str | None = None
    pinned: bool | None = None


class NoteRemoved(Data, frozen=True, kw_only=True, gc=False):
    """note.removed.v1"""

    note: str
    ref: str | None = None
    agent: str | None = None


class TaskCreated(Data, frozen=True, kw_only=True, gc=False):
    """task.created.v1"""

    task: str
    due: Instant | None = None
    assignee: str | None = None
    ref: str | None = None
    decision: str | None = None


class TaskAssigned(Data, frozen=True, kw_only=True, gc=False):
    """task.assigned.v1"""

    task: str
    due: Instant | None = None
    assignee: str | None = None
    ref: str | None = None
    decision: str | None = None


class TaskCompleted(Data, frozen=True, kw_only=True, gc=False):
    """task.completed.v1"""

    task: str
    due: Instant | None = None
    assignee: str | None = None
    ref: str | None = None
    decision: str | None = None


class TaskCancelled(Data, frozen=True, kw_only=True, gc=False):
    """task.cancelled.v1"""

    task: str
    due: Instant | None = None
    assignee: str | None = None
    ref: str | None = None
    decision: str | None = None


class CommitmentMade(Data, frozen=True, kw_only=True, gc=False):
    """commitment.made.v1"""

    commitment: str
    due: Instant | None = None
    agent: str | None = None
    ref: str | None = None


class CommitmentKept(Data, frozen=True, kw_only=True, gc=False):
    """commitment.kept.v1"""

    commitment: str
    due: Instant | None = None
    agent: str | None = None
    ref: str | None = None


class CommitmentBroken(Data, frozen=True, kw_only=True, gc=False):
    """commitment.broken.v1"""

    commitment: str
    due: Instant | None = None
    agent: str | None = None
    ref: str | None = None


class IssueCorrected(Data, frozen=True, kw_only=True, gc=False):
    """issue.corrected.v1"""

    contact: str
    issue: str | None = None
    agent: str | None = None
    reason: str | None = None


class ProfileViewed(Data, frozen=True, kw_only=True, gc=False):
    """profile.viewed.v1"""

    agent: str | None = None
    purpose: str | None = None
    fields: list[str] | None = None


class SurveySent(Data, frozen=True, kw_only=True, gc=False):
    """survey.sent.v1"""

    survey: str
    definition: str | None = None
    kind: str
    about: str | None = None
    ticket: str | None = None
    order: str | None = None
    agent: str | None = None
    team: str | None = None
    channel: str | None = None
    rule: str | None = None
    expires: Instant | None = None


class SurveyNotInvited(Data, frozen=True, kw_only=True, gc=False):
    """survey.not_invited.v1"""

    definition: str | None = None
    reason: str
    survey: str | None = None
    rule: str | None = None
    kind: str | None = None
    about: str | None = None
    ticket: str | None = None
    order: str | None = None
    channel: str | None = None


class SurveyResponded(Data, frozen=True, kw_only=True, gc=False):
    """survey.responded.v1"""

    survey: str
    definition: str | None = None
    kind: str
    about: str | None = None
    ticket: str | None = None
    order: str | None = None
    agent: str | None = None
    team: str | None = None
    channel: str | None = None
    revision: int | None = None
    score: int | None = None
    scores: dict[str, int] | None = None
    choices: dict[str, list[str]] | None = None


class FeedbackClassified(Data, frozen=True, kw_only=True, gc=False):
    """feedback.classified.v1"""

    survey: str
    about: str | None = None
    topics: list[str] | None = None
    sentiment: int | None = None
    by: str | None = None
    agent: str | None = None
    definition: str | None = None


class LoopOpened(Data, frozen=True, kw_only=True, gc=False):
    """loop.opened.v1"""

    loop: str
    survey: str | None = None
    owner: str | None = None
    outcome: str | None = None
    informed: bool | None = None
    due: Instant | None = None
    score: int | None = None
    task: str | None = None


class LoopReminded(Data, frozen=True, kw_only=True, gc=False):
    """loop.reminded.v1"""

    loop: str
    survey: str | None = None
    owner: str | None = None
    due: Instant | None = None
    reminder: int | None = None


class LoopClosed(Data, frozen=True, kw_only=True, gc=False):
    """loop.closed.v1"""

    loop: str
    survey: str | None = None
    owner: str | None = None
    outcome: str | None = None
    informed: bool | None = None


class LifecycleStageChanged(Data, frozen=True, kw_only=True, gc=False):
    """lifecycle.stage_changed.v1"""

    before: str | None = None
    after: str
    at: Instant | None = None
    definition: str | None = None
    reason: str | None = None


class ScoreUpdated(Data, frozen=True, kw_only=True, gc=False):
    """score.updated.v1"""

    score: str
    value: float | None = None
    currency: str | None = None
    definition: str | None = None
    as_of: Instant | None = None


class DecisionMade(Data, frozen=True, kw_only=True, gc=False):
    """decision.made.v1"""

    decision: str
    trigger: str | None = None
    version: str | None = None
    anchor: str | None = None
    due: Instant | None = None
    outcome: str | None = None
    gate: str | None = None
    facts: list[Fact] | None = None
    goal: str | None = None
    kind: str | None = None
    send_at: Instant | None = None
    shadow: bool | None = None
    arm: str | None = None
    channel: str | None = None


class ActionRequested(Data, frozen=True, kw_only=True, gc=False):
    """action.requested.v1"""

    action: str
    decision: str | None = None
    channel: str | None = None
    template: str | None = None
    offer: str | None = None
    survey: str | None = None
    purpose: str | None = None
    language: str | None = None
    expires: Instant | None = None


class SuggestionMade(Data, frozen=True, kw_only=True, gc=False):
    """suggestion.made.v1"""

    suggestion: str
    trigger: str | None = None
    priority: int | None = None
    ref: str | None = None
    due: Instant | None = None
    value: int | None = None
    currency: str | None = None
    facts: list[Fact] | None = None


class SuggestionWithdrawn(Data, frozen=True, kw_only=True, gc=False):
    """suggestion.withdrawn.v1"""

    suggestion: str
    trigger: str | None = None
    reason: str | None = None


class SuggestionAccepted(Data, frozen=True, kw_only=True, gc=False):
    """suggestion.accepted.v1"""

    suggestion: str
    trigger: str | None = None
    agent: str | None = None


class SuggestionDismissed(Data, frozen=True, kw_only=True, gc=False):
    """suggestion.dismissed.v1"""

    suggestion: str
    trigger: str | None = None
    agent: str | None = None
    reason: str | None = None


class OfferIssued(Data, frozen=True, kw_only=True, gc=False):
    """offer.issued.v1"""

    offer: str
    kind: str | None = None
    code: str | None = None
    value: int | None = None
    currency: str | None = None
    expires: Instant | None = None


class OfferRedeemed(Data, frozen=True, kw_only=True, gc=False):
    """offer.redeemed.v1"""

    offer: str | None = None
    kind: str | None = None
    code: str | None = None
    value: int | None = None
    currency: str | None = None
    expires: Instant | None = None
    order: str | None = None


class KpiRestated(Data, frozen=True, kw_only=True, gc=False):
    """kpi.restated.v1"""

    kpi: str
    definition: str | None = None
    window: str | None = None
    dims: dict[str, str | None] | None = None
    num_before: int | None = None
    den_before: int | None = None
    num_after: int | None = None
    den_after: int | None = None
    cause: str | None = None
    cause_events: list[str] | None = None


class AlertRaised(Data, frozen=True, kw_only=True, gc=False):
    """alert.raised.v1"""

    alert: str
    kpi: str
    dims: dict[str, str | None] | None = None
    value: float | None = None
    target: float | None = None


class AlertCleared(Data, frozen=True, kw_only=True, gc=False):
    """alert.cleared.v1"""

    alert: str
    kpi: str
    dims: dict[str, str | None] | None = None
    value: float | None = None
    target: float | None = None


class ModelFitted(Data, frozen=True, kw_only=True, gc=False):
    """model.fitted.v1"""

    model: str
    parameters: dict[str, float]
    definition: str | None = None
    as_of: Instant | None = None
    buyers: int | None = None
    currency: str | None = None


class Custom(Data, frozen=True, kw_only=True, gc=False):
    """custom"""

    name: str | None = None


BY_TYPE: Final[dict[str, type[Data]]] = {
    "customer.created.v1": CustomerCreated,
    "customer.identified.v1": CustomerIdentified,
    "customer.aliased.v1": CustomerAliased,
    "customer.merged.v1": CustomerMerged,
    "customer.unmerged.v1": CustomerUnmerged,
    "customer.erased.v1": CustomerErased,
    "customer.grouped.v1": CustomerGrouped,
    "session.signed_in.v1": SessionSignedIn,
    "session.signed_out.v1": SessionSignedOut,
    "consent.granted.v1": ConsentGranted,
    "consent.withdrawn.v1": ConsentWithdrawn,
    "preference.changed.v1": PreferenceChanged,
    "contact.suppressed.v1": ContactSuppressed,
    "contact.resumed.v1": ContactResumed,
    "page.viewed.v1": PageViewed,
    "screen.viewed.v1": ScreenViewed,
    "session.started.v1": SessionStarted,
    "search.performed.v1": SearchPerformed,
    "form.submitted.v1": FormSubmitted,
    "error.shown.v1": ErrorShown,
    "feature.used.v1": FeatureUsed,
    "content.consumed.v1": ContentConsumed,
    "help.viewed.v1": HelpViewed,
    "help.searched.v1": HelpSearched,
    "help.rated.v1": HelpRated,
    "bot.conversed.v1": BotConversed,
    "product.viewed.v1": ProductViewed,
    "wishlist.added.v1": WishlistAdded,
    "cart.updated.v1": CartUpdated,
    "checkout.started.v1": CheckoutStarted,
    "payment.failed.v1": PaymentFailed,
    "product.reviewed.v1": ProductReviewed,
    "order.placed.v1": OrderPlaced,
    "order.cancelled.v1": OrderCancelled,
    "order.refunded.v1": OrderRefunded,
    "order.shipped.v1": OrderShipped,
    "shipment.delayed.v1": ShipmentDelayed,
    "order.delivered.v1": OrderDelivered,
    "return.requested.v1": ReturnRequested,
    "return.completed.v1": ReturnCompleted,
    "subscription.started.v1": SubscriptionStarted,
    "subscription.renewed.v1": SubscriptionRenewed,
    "subscription.changed.v1": SubscriptionChanged,
    "subscription.cancellation_requested.v1": SubscriptionCancellationRequested,
    "subscription.cancelled.v1": SubscriptionCancelled,
    "subscription.ended.v1": SubscriptionEnded,
    "invoice.issued.v1": InvoiceIssued,
    "invoice.paid.v1": InvoicePaid,
    "invoice.disputed.v1": InvoiceDisputed,
    "ticket.created.v1": TicketCreated,
    "ticket.assigned.v1": TicketAssigned,
    "ticket.message.v1": TicketMessage,
    "ticket.priority_changed.v1": TicketPriorityChanged,
    "ticket.topic_changed.v1": TicketTopicChanged,
    "ticket.pending.v1": TicketPending,
    "ticket.resolved.v1": TicketResolved,
    "ticket.reopened.v1": TicketReopened,
    "ticket.escalated.v1": TicketEscalated,
    "call.offered.v1": CallOffered,
    "call.answered.v1": CallAnswered,
    "call.abandoned.v1": CallAbandoned,
    "call.leg_ended.v1": CallLegEnded,
    "callback.requested.v1": CallbackRequested,
    "social.mentioned.v1": SocialMentioned,
    "store.visited.v1": StoreVisited,
    "appointment.booked.v1": AppointmentBooked,
    "appointment.kept.v1": AppointmentKept,
    "appointment.missed.v1": AppointmentMissed,
    "points.earned.v1": PointsEarned,
    "points.redeemed.v1": PointsRedeemed,
    "points.expired.v1": PointsExpired,
    "tier.changed.v1": TierChanged,
    "referral.made.v1": ReferralMade,
    "message.sent.v1": MessageSent,
    "message.delivered.v1": MessageDelivered,
    "message.bounced.v1": MessageBounced,
    "message.opened.v1": MessageOpened,
    "message.clicked.v1": MessageClicked,
    "message.unsubscribed.v1": MessageUnsubscribed,
    "note.added.v1": NoteAdded,
    "note.edited.v1": NoteEdited,
    "note.removed.v1": NoteRemoved,
    "task.created.v1": TaskCreated,
    "task.assigned.v1": TaskAssigned,
    "task.completed.v1": TaskCompleted,
    "task.cancelled.v1": TaskCancelled,
    "commitment.made.v1": CommitmentMade,
    "commitment.kept.v1": CommitmentKept,
    "commitment.broken.v1": CommitmentBroken,
    "issue.corrected.v1": IssueCorrected,
    "profile.viewed.v1": ProfileViewed,
    "survey.sent.v1": SurveySent,
    "survey.not_invited.v1": SurveyNotInvited,
    "survey.responded.v1": SurveyResponded,
    "feedback.classified.v1": FeedbackClassified,
    "loop.opened.v1": LoopOpened,
    "loop.reminded.v1": LoopReminded,
    "loop.closed.v1": LoopClosed,
    "lifecycle.stage_changed.v1": LifecycleStageChanged,
    "score.updated.v1": ScoreUpdated,
    "decision.made.v1": DecisionMade,
    "action.requested.v1": ActionRequested,
    "suggestion.made.v1": SuggestionMade,
    "suggestion.withdrawn.v1": SuggestionWithdrawn,
    "suggestion.accepted.v1": SuggestionAccepted,
    "suggestion.dismissed.v1": SuggestionDismissed,
    "offer.issued.v1": OfferIssued,
    "offer.redeemed.v1": OfferRedeemed,
    "kpi.restated.v1": KpiRestated,
    "alert.raised.v1": AlertRaised,
    "alert.cleared.v1": AlertCleared,
    "model.fitted.v1": ModelFitted,
}

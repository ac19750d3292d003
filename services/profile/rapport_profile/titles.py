"""What a card calls an event, in a few words that an agent understands at a glance."""

import re
from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[str, str]] = {
    "customer.created": "Became a customer[ in segment {segment}]",
    "customer.identified": "Told who they are",
    "customer.aliased": "Told of an earlier id",
    "customer.merged": "Merged with another customer[: {reason}]",
    "customer.unmerged": "Taken apart from another customer[: {reason}]",
    "customer.erased": "Personal data erased[, certificate {certificate_id}]",
    "customer.grouped": "Belongs to account[ {account_id}]",
    "session.signed_in": "Signed in[ by {method}]",
    "session.signed_out": "Signed out",
    "consent.granted": "Allowed[ {purpose}][ by {channel}]",
    "consent.withdrawn": "Withdrew consent[ to {purpose}][ by {channel}]",
    "preference.changed": "Changed preferences[: prefers {preferred_channel}]",
    "contact.suppressed": "Not to be written to[: {scope}][ until {until}][: {reason}]",
    "contact.resumed": "May be written to again[: {reason}]",
    "page.viewed": "Viewed a page[: {page}]",
    "screen.viewed": "Viewed a screen[: {screen}]",
    "session.started": "Came by[ on {device_class}][, campaign {campaign}]",
    "search.performed": "Searched[ for “{query}”][, {results} results]",
    "form.submitted": "Sent a form[: {form_id}]",
    "error.shown": "Saw an error[ {code}][ on {page}]",
    "feature.used": "Used a feature[: {feature}]",
    "content.consumed": "Read or watched[ {kind}][: {content_id}]",
    "help.viewed": "Read help[: {article}]",
    "help.searched": "Searched help[ for “{query}”][, {results} results]",
    "help.rated": "Rated help[ {article}]",
    "bot.conversed": "Talked to the bot[ about {intent}][: {outcome}]",
    "product.viewed": "Viewed a product[: {product}][, {value}]",
    "wishlist.added": "Put on the wish list[: {product}]",
    "cart.updated": "Changed the basket[, {value}]",
    "checkout.started": "Started a checkout[ of {value}]",
    "payment.failed": "Payment failed[ over {amount}][: {reason}]",
    "order.placed": "Placed an order[ {order}][ over {amount}]",
    "order.cancelled": "Cancelled order[ {order}][: {reason}]",
    "order.refunded": "Was refunded[ {amount}][ for order {order}][: {reason}]",
    "order.shipped": "Order[ {order}] shipped[ with {carrier}][, due {eta}]",
    "shipment.delayed": "Delivery delayed[ for order {order}][ to {eta_after}][: {reason}]",
    "order.delivered": "Order[ {order}] delivered",
    "return.requested": "Asked to return[ order {order}][: {reason}]",
    "return.completed": "Return completed[ for order {order}][: {resolution}]",
    "product.reviewed": "Reviewed[ {product}][ with {rating} stars]",
    "subscription.started": "Subscribed[ to {plan}][ for {amount}]",
    "subscription.renewed": "Renewed[ {plan}][ for {amount}]",
    "subscription.changed": "Changed the plan[ to {plan}][ for {amount}]",
    "subscription.cancelled": "Cancelled the plan[ {plan}][: {reason}]",
    "subscription.ended": "Plan ended[: {plan}]",
    "subscription.cancellation_requested": "Asked to cancel the plan[ {plan}][: {reason}]",
    "invoice.issued": "Invoice[ {invoice}][ over {amount}][, due {due}]",
    "invoice.paid": "Paid invoice[ {invoice}][, {amount}]",
    "invoice.disputed": "Disputed invoice[ {invoice}][ over {amount}][: {reason}]",
    "ticket.created": "Opened ticket[ {ticket}][ about {topic}][, {priority}][: {subject}]",
    "ticket.assigned": "Ticket[ {ticket}] assigned[ to {agent}][ of {team}]",
    "ticket.message": "Message[ in ticket {ticket}][ from {agent}]",
    "ticket.priority_changed": "Ticket[ {ticket}] now has priority[ {after}]",
    "ticket.topic_changed": "Ticket[ {ticket}] now is about[ {after}]",
    "ticket.pending": "Ticket[ {ticket}] waits[ for {waiting_for}]",
    "ticket.resolved": "Ticket[ {ticket}] resolved[ by {agent}][: {resolution}]",
    "ticket.reopened": "Ticket[ {ticket}] opened again[: {reason}]",
    "ticket.escalated": "Ticket[ {ticket}] escalated[ to {to_team}][: {reason}]",
    "call.offered": "Called[ about {topic}][, queue {queue}]",
    "call.answered": "Call answered[ by {agent}][ after {wait} s]",
    "call.abandoned": "Hung up[ after {wait} s]",
    "call.leg_ended": "Call ended[ with {agent}][ after {talk} s of talk]",
    "callback.requested": "Asked to be called back[ about {topic}][, {window}]",
    "social.mentioned": "Mentioned us[ on {network}]",
    "store.visited": "Visited the store[ {store}][: {purpose}]",
    "appointment.booked": "Booked an appointment[ for {kind}][ at {at}]",
    "appointment.kept": "Kept the appointment[ for {kind}]",
    "appointment.missed": "Missed the appointment[ for {kind}]",
    "points.earned": "Earned points[: {points}]",
    "points.redeemed": "Redeemed points[: {points}]",
    "points.expired": "Points expired[: {points}]",
    "tier.changed": "Moved[ from tier {before}][ to tier {after}]",
    "referral.made": "Recommended us[ with code {code}]",
    "message.sent": "We wrote[ by {channel}][: {template}]",
    "message.delivered": "Our message arrived[: {template}]",
    "message.bounced": "Our message bounced[: {reason}]",
    "message.opened": "Opened our message[: {template}]",
    "message.clicked": "Followed a link in our message[: {template}]",
    "message.unsubscribed": "Unsubscribed[ from {channel}]",
    "note.added": "Note[ by {agent}]",
    "note.edited": "Note edited[ by {agent}]",
    "note.removed": "Note removed[ by {agent}]",
    "task.created": "Task[: {title}][, due {due}]",
    "task.assigned": "Task assigned[ to {assignee}]",
    "task.completed": "Task completed[: {title}]",
    "task.cancelled": "Task cancelled[: {title}]",
    "commitment.made": "We promised[: {what}][, due {due}]",
    "commitment.kept": "Promise kept[: {what}]",
    "commitment.broken": "Promise broken[: {what}]",
    "issue.corrected": "Issue corrected[ by {agent}][: {contact}][ belongs to {issue}]",
    "profile.viewed": "Profile read[ by {agent}][: {purpose}]",
    "survey.sent": "Asked for feedback[: {kind}][ about {about}]",
    "survey.not_invited": "Not asked for feedback[: {reason}]",
    "survey.responded": "Answered the[ {kind}] survey[: {score}][ about {about}]",
    "feedback.classified": "Feedback classified[ as {sentiment}]",
    "loop.opened": "Follow-up on feedback opened[ for {owner}]",
    "loop.reminded": "Follow-up on feedback is overdue[, {owner} was reminded]",
    "loop.closed": "Follow-up on feedback closed[: {outcome}]",
    "lifecycle.stage_changed": "Lifecycle[ from {before}][ to {after}]",
    "score.updated": "Score[ {score}][ is {value}]",
    "decision.made": "Decision[ on {trigger}][: {outcome}]",
    "action.requested": "Outreach requested[ by {channel}][: {template}]",
    "suggestion.made": "Suggestion[: {trigger}][ about {ref}]",
    "suggestion.withdrawn": "Suggestion taken back[: {trigger}][: {reason}]",
    "suggestion.accepted": "Suggestion followed[: {trigger}][ by {agent}]",
    "suggestion.dismissed": "Suggestion dismissed[: {trigger}][ by {agent}][: {reason}]",
    "offer.issued": "Got an offer[: {kind}]",
    "offer.redeemed": "Redeemed an offer[: {offer}]",
    "kpi.restated": "KPI restated[: {kpi}]",
    "model.fitted": "Model fitted[: {model}]",
    "alert.raised": "Alert raised[: {kpi}]",
    "alert.cleared": "Alert cleared[: {kpi}]",
}
"""By type without its version. `[…]` is left out when a field in it is not known."""

_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_FIELD = re.compile(r"\{(\w+)\}")
_LONGEST: Final = 160


def title(type_: str, fields: Mapping[str, object]) -> str:
    """A short sentence about an event of this type, from the fields the reader may see."""
    noun = type_.rpartition(".v")[0]
    name = noun.removeprefix("custom.").replace(".", " ").replace("_", " ").capitalize()
    template = TITLES.get(noun, name)
    # One pass: what a customer wrote must never be taken for a part of the template.
    sentence = _OPTIONAL.sub(lambda found: _filled(found[1], fields), template)
    return sentence if len(sentence) <= _LONGEST else sentence[: _LONGEST - 1] + "…"


def _filled(part: str, fields: Mapping[str, object]) -> str:
    """The part with its fields in place; empty when one of them is not known."""
    values = {name: _shown(fields.get(name)) for name in _FIELD.findall(part)}
    if not all(values.values()):
        return ""
    return _FIELD.sub(lambda found: values[found[1]], part)


def _shown(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join(str(value).split())

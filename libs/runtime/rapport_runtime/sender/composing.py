"""Makes messages of what was asked for: to whom, in which words, by which transport."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapport_runtime.outbox import derived_id
from rapport_runtime.sender.message import (
    EXPIRED,
    Contact,
    Ending,
    Later,
    Message,
    Outcome,
    Recipients,
    Rendered,
    Requested,
    TemplateError,
    Templates,
    Transport,
    dead,
    suppressed,
)

_ADDRESSED: Final = {"email": "email", "sms": "phone", "phone": "phone"}
"""Channels on which somebody is reached by an address of theirs."""

_NOWHERE: Final = Contact()


@dataclass(frozen=True, slots=True)
class Ready:
    """A message and who takes it."""

    message: Message
    transport: Transport


async def compose(
    requests: Sequence[Requested],
    recipients: Recipients,
    templates: Templates,
    transports: Mapping[str, Transport],
) -> list[Ready | Outcome]:
    """One for each request, in their order. Raises RecipientsUnavailableError."""
    subjects = {one.envelope.subject for one in requests} - {None}
    contacts = await recipients.addresses([one for one in subjects if one is not None])
    personal = await recipients.variables(requests)
    return [
        _judge(
            request,
            contacts.get(request.envelope.subject or "", _NOWHERE),
            variables,
            transports.get(request.data.channel or ""),
            templates,
        )
        for request, variables in zip(requests, personal, strict=True)
    ]


def _judge(
    request: Requested,
    contact: Contact,
    variables: Mapping[str, Any] | Ending,
    transport: Transport | None,
    templates: Templates,
) -> Ready | Outcome:
    """Whether it may be sent comes before whether it can be."""
    channel = request.data.channel
    if contact.suppressed is not None:
        return suppressed(contact.suppressed)
    if isinstance(variables, Ending):
        return variables
    if request.is_expired:
        return EXPIRED
    if channel is None or transport is None:
        return dead("no_transport")
    to = _address(contact, channel)
    if to is None and channel in _ADDRESSED:
        # Whose address it is may be told a moment after the message was asked for.
        return Later("no_address") if request.attempt == 1 else suppressed("no_address")
    try:
        rendered = _render(request, variables, templates)
    except TemplateError as error:
        return dead(f"template: {error}")
    if rendered is None and transport.needs_words:
        return dead("no_template")
    message = Message(
        id=derived_id(request.event_key, "message"),
        request=request,
        channel=channel,
        to=to,
        variables=variables,
        rendered=rendered,
    )
    return Ready(message, transport)


def _address(contact: Contact, channel: str) -> str | None:
    match _ADDRESSED.get(channel):
        case "email":
            return contact.email
        case "phone":
            return contact.phone
        case _:
            return None


def _render(
    request: Requested, variables: Mapping[str, Any], templates: Templates
) -> Rendered | None:
    name, language = request.data.template, request.data.language
    if name is None:
        return None
    return templates.render(name, language, {**variables, "channel": request.data.channel})

"""Delivers what `action.requested` asks for: by mail, by webhook, or on the console."""

from rapport_runtime.sender.delivering import deliver
from rapport_runtime.sender.intake import subscription
from rapport_runtime.sender.message import (
    Contact,
    Ending,
    Recipients,
    RecipientsUnavailableError,
    Rendered,
    Requested,
    TemplateError,
    Templates,
    Transport,
    dead,
    suppressed,
)
from rapport_runtime.sender.noting import Sender
from rapport_runtime.sender.ops import make_deliveries_router
from rapport_runtime.sender.settings import SenderSettings
from rapport_runtime.sender.telemetry import Telemetry
from rapport_runtime.sender.templates import FolderTemplates
from rapport_runtime.sender.transports import make_transports

__all__ = [
    "Contact",
    "Ending",
    "FolderTemplates",
    "Recipients",
    "RecipientsUnavailableError",
    "Rendered",
    "Requested",
    "Sender",
    "SenderSettings",
    "Telemetry",
    "TemplateError",
    "Templates",
    "Transport",
    "dead",
    "deliver",
    "make_deliveries_router",
    "make_transports",
    "subscription",
    "suppressed",
]

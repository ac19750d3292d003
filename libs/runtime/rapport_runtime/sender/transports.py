"""The transports that the settings name, by channel."""

from rapport_runtime.sender.console import Console
from rapport_runtime.sender.message import Transport
from rapport_runtime.sender.settings import SenderSettings
from rapport_runtime.sender.smtp import Smtp
from rapport_runtime.sender.webhook import Webhook


def make_transports(settings: SenderSettings) -> dict[str, Transport]:
    """One of each kind that is named. Raises ForbiddenTargetError for an allowed non-origin."""
    kinds: dict[str, Transport] = {}
    if settings.smtp is not None:
        kinds["smtp"] = Smtp(settings.smtp)
    if settings.webhook is not None:
        kinds["webhook"] = Webhook(settings.webhook)
    if settings.console_file is not None:
        kinds["console"] = Console(settings.console_file)
    return {channel: kinds[kind] for channel, kind in settings.channels.items()}

"""Delivers the messages that this service asks for."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

from rapport_events.topics import ENGAGEMENT
from rapport_privacy.keyring import Keyring
from rapport_privacy.recipients import KeyringRecipients
from rapport_runtime import sender
from rapport_runtime.pool import Pool
from rapport_runtime.subscription import Resources, run_subscription

from rapport_personalization.consenting import refused
from rapport_personalization.effects import SOURCE
from rapport_personalization.preferences.linking import LinkedRecipients
from rapport_personalization.settings import PersonalizationSettings

TEMPLATES: Final = Path(__file__).parent / "templates"


async def send(
    settings: PersonalizationSettings,
    resources: Resources,
    keyring: Keyring,
    pool: Pool,
    stop: asyncio.Event,
) -> None:
    """Until `stop`. Raises TemplateError when a template cannot be read."""
    made = make_sender(settings, resources, keyring, pool)
    subscription = sender.subscription(ENGAGEMENT)
    await asyncio.gather(
        run_subscription(subscription, resources, stop=stop), sender.deliver(made, stop)
    )


def make_sender(
    settings: PersonalizationSettings, resources: Resources, keyring: Keyring, pool: Pool
) -> sender.Sender:
    """Raises TemplateError when a template cannot be read."""
    options = settings.sender
    recipients = KeyringRecipients(keyring, pool, partial(refused, resources.engine))
    return sender.Sender(
        engine=resources.engine,
        topic=ENGAGEMENT,
        source=SOURCE,
        recipients=LinkedRecipients(recipients, settings, keyring),
        templates=sender.FolderTemplates(_folders(settings), options.language),
        transports=sender.make_transports(options),
        telemetry=sender.Telemetry(resources.metrics),
        at_once=options.at_once,
        poll_seconds=options.poll_seconds,
    )


def names_of_templates(settings: PersonalizationSettings) -> frozenset[str]:
    """What a message may be put into words by, as the folders are now."""
    files = (path for folder in _folders(settings) for path in folder.glob("*.liquid"))
    return frozenset(path.name.partition(".")[0] for path in files)


def _folders(settings: PersonalizationSettings) -> list[Path]:
    ours = settings.sender.templates
    return [TEMPLATES] if ours is None else [TEMPLATES, ours]

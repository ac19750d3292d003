"""Delivers the invitations that this service asks for."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

from rapport_events.topics import FEEDBACK
from rapport_privacy.keyring import Keyring
from rapport_privacy.recipients import KeyringRecipients
from rapport_runtime import sender
from rapport_runtime.pool import Pool
from rapport_runtime.subscription import Resources, run_subscription

from rapport_feedback.consenting import refused
from rapport_feedback.domain.source import SOURCE
from rapport_feedback.settings import FeedbackSettings

TEMPLATES: Final = Path(__file__).parent / "templates"


async def send(
    settings: FeedbackSettings,
    resources: Resources,
    keyring: Keyring,
    pool: Pool,
    stop: asyncio.Event,
) -> None:
    """Until `stop`. Raises TemplateError when a template cannot be read."""
    made = make_sender(settings, resources, keyring, pool)
    subscription = sender.subscription(FEEDBACK)
    await asyncio.gather(
        run_subscription(subscription, resources, stop=stop), sender.deliver(made, stop)
    )


def make_sender(
    settings: FeedbackSettings, resources: Resources, keyring: Keyring, pool: Pool
) -> sender.Sender:
    """Raises TemplateError when a template cannot be read."""
    options = settings.sender
    folders = [TEMPLATES] if options.templates is None else [TEMPLATES, options.templates]
    return sender.Sender(
        engine=resources.engine,
        topic=FEEDBACK,
        source=SOURCE,
        recipients=KeyringRecipients(
            keyring, pool, partial(refused, resources.engine, settings.asking.policy())
        ),
        templates=sender.FolderTemplates(folders, options.language),
        transports=sender.make_transports(options),
        telemetry=sender.Telemetry(resources.metrics),
        at_once=options.at_once,
        poll_seconds=options.poll_seconds,
    )

"""Gives every message the way to the preferences of whom it goes to, at the moment it leaves."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rapport_privacy.keyring import Keyring
from rapport_runtime.sender import Contact, Ending, Recipients, Requested

from rapport_personalization.preferences.links import make_link
from rapport_personalization.settings import PersonalizationSettings


class LinkedRecipients:
    """Adds `preferences_link`, and to marketing what a mail program unsubscribes by."""

    def __init__(
        self, recipients: Recipients, settings: PersonalizationSettings, keyring: Keyring
    ) -> None:
        self._recipients = recipients
        self._settings = settings
        self._keyring = keyring

    async def addresses(self, subjects: Collection[str]) -> Mapping[str, Contact]:
        """Raises RecipientsUnavailableError."""
        return await self._recipients.addresses(subjects)

    async def variables(
        self, requests: Sequence[Requested]
    ) -> Sequence[Mapping[str, Any] | Ending]:
        """Raises RecipientsUnavailableError."""
        found = await self._recipients.variables(requests)
        now = datetime.now(UTC)
        return [
            known if isinstance(known, Ending) else {**known, **self._links(request, now)}
            for request, known in zip(requests, found, strict=True)
        ]

    def _links(self, request: Requested, now: datetime) -> dict[str, str]:
        subject = request.envelope.subject
        if subject is None:
            return {}
        link, _ = make_link(self._settings, self._keyring, subject, now)
        found = {"preferences_link": link}
        if request.data.purpose == "marketing":
            found["unsubscribe"] = link
        return found

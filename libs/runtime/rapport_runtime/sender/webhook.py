"""Hands messages to somebody else's endpoint, by Standard Webhooks.

Of the answer the status counts, and Retry-After; its body is neither read nor kept.
Source: https://github.com/standard-webhooks/standard-webhooks, specification 1.0.
"""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2
import orjson
from standardwebhooks import Webhook as Signer

from rapport_runtime.sender import guard
from rapport_runtime.sender.message import SENT, Later, Message, Outcome, bounced, dead
from rapport_runtime.sender.rows import GONE
from rapport_runtime.sender.settings import WebhookSettings

MOST_BYTES: Final = 20_000

_GONE: Final = 410
_OK: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)


class Webhook:
    """One endpoint; each attempt looks its host up, and makes a connection of its own."""

    name = "webhook"
    needs_words = False

    def __init__(self, settings: WebhookSettings, look_up: guard.Resolve = guard.resolve) -> None:
        self._url = settings.url
        self._signers = [Signer(secret) for secret in settings.secrets.split()]
        self._allowed = guard.origins(settings.allow)
        self._seconds = settings.timeout_seconds
        self._tls = ssl.create_default_context(cafile=settings.ca_file)
        self._look_up = look_up

    async def send(self, message: Message) -> Outcome:
        body = payload(message)
        if len(body) > MOST_BYTES:
            return dead("payload_too_large")
        try:
            # Over all: whoever answers a byte a second does not hold us either.
            async with asyncio.timeout(self._seconds):
                return await self._post(body, self._signed(str(message.id), body))
        except guard.ForbiddenTargetError:
            return dead("forbidden_target")
        except (TimeoutError, httpx2.TimeoutException):
            return Later("timeout")
        except (OSError, httpx2.TransportError):
            return Later("connection")

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        target = await guard.aim(self._url, self._allowed, self._look_up)
        client = httpx2.AsyncClient(
            verify=self._tls, trust_env=False, follow_redirects=False, timeout=self._seconds
        )
        async with (
            client,
            client.stream(
                "POST",
                target.url,
                content=body,
                headers={**headers, "host": target.netloc},
                extensions={"sni_hostname": target.host},
            ) as answer,
        ):
            return _judge(answer.status_code, answer.headers.get("retry-after"))

    def _signed(self, message_id: str, body: bytes) -> dict[str, str]:
        now = datetime.now(UTC)
        signatures = [signer.sign(message_id, now, body.decode()) for signer in self._signers]
        return {
            "content-type": "application/json",
            "user-agent": "rapport-sender",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


def payload(message: Message) -> bytes:
    """What the endpoint needs to reach the person, and no more."""
    envelope, data, rendered = message.request.envelope, message.request.data, message.rendered
    said: dict[str, Any] = {
        "action": data.action,
        "channel": message.channel,
        "subject_id": envelope.subject,
        "to": message.to,
        "template": data.template,
        "language": data.language,
        "purpose": data.purpose,
        "survey": data.survey,
        "offer": data.offer,
        "decision": data.decision,
        "expires": data.expires,
        "variables": message.variables,
        "subject": None if rendered is None else rendered.subject,
        "text": None if rendered is None else rendered.text,
    }
    told = {name: value for name, value in said.items() if value is not None}
    document = {"type": envelope.type, "timestamp": envelope.time, "data": told}
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


def _judge(status: int, retry_after: str | None) -> Outcome:
    if status in _OK:
        return SENT
    if status == _GONE:
        return bounced(GONE)
    if status in _REDIRECT:
        return Later("redirect")
    return Later(f"http_{status}", _seconds(retry_after))


def _seconds(retry_after: str | None) -> float | None:
    """RFC 9110 10.2.3: seconds, or a date; anything else is no wish."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())

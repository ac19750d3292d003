"""What may differ between two deployments in how messages leave."""

import binascii
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rapport_runtime.settings import Section

Kind = Literal["smtp", "webhook", "console"]

_SECRET_BYTES: Final = range(24, 65)
_PREFIX: Final = "whsec_"


def _are_secrets(text: str) -> str:
    if not text.split():
        raise ValueError("name at least one secret, whsec_…; several are separated by spaces")
    for secret in text.split():
        try:
            raw = b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raw = b""
        if not secret.startswith(_PREFIX) or len(raw) not in _SECRET_BYTES:
            raise ValueError("a secret is whsec_ and the base64 of 24 to 64 bytes")
    return text


class SmtpSettings(Section):
    """The mail server that takes our messages."""

    host: str
    port: int = Field(default=587, ge=1, le=65_535)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    ca_file: Path | None = None
    user: str | None = None
    password: str | None = Field(default=None, repr=False)
    from_address: str = Field(description="care@example.com, or Example <care@example.com>")
    timeout_seconds: float = Field(default=30.0, gt=0, le=40)


class WebhookSettings(Section):
    """Who delivers for us, by Standard Webhooks."""

    url: str = Field(repr=False)
    secrets: Annotated[str, AfterValidator(_are_secrets)] = Field(
        repr=False, description="whsec_…, signed with each; several while one is being replaced"
    )
    allow: str = Field(
        default="",
        description="origins inside our own network, as in https://hooks.intranet:9443; "
        "all others must be https on port 443 or 8443 at a public address",
    )
    ca_file: Path | None = None
    timeout_seconds: float = Field(default=15.0, gt=0, le=30)


class SenderSettings(Section):
    """By which transport each channel goes; without one, its messages wait in the dead list."""

    email: Kind | None = None
    sms: Kind | None = None
    phone: Kind | None = None
    chat: Kind | None = None
    app: Kind | None = None
    web: Kind | None = None
    social: Kind | None = None
    smtp: SmtpSettings | None = None
    webhook: WebhookSettings | None = None
    console_file: Path | None = Field(
        default=None, description="takes a line of JSON a message, with what it says to whom"
    )
    templates: Path | None = Field(default=None, description="folder that comes before ours")
    language: str = Field(default="en", description="of templates that lack the person's")
    at_once: int = Field(default=20, ge=1, le=500, description="messages under way")
    poll_seconds: float = Field(default=0.2, gt=0)

    @property
    def channels(self) -> dict[str, Kind]:
        named = {
            "email": self.email,
            "sms": self.sms,
            "phone": self.phone,
            "chat": self.chat,
            "app": self.app,
            "web": self.web,
            "social": self.social,
        }
        return {channel: kind for channel, kind in named.items() if kind is not None}

    @model_validator(mode="after")
    def _has_what_its_channels_need(self) -> Self:
        needs = {"smtp": self.smtp, "webhook": self.webhook, "console": self.console_file}
        for channel, kind in self.channels.items():
            if needs[kind] is None:
                section = "CONSOLE_FILE" if kind == "console" else f"{kind.upper()}__…"
                raise ValueError(
                    f"RAPPORT_SENDER__{channel.upper()}={kind} needs RAPPORT_SENDER__{section}"
                )
        if self.sms == "smtp" or self.phone == "smtp":
            raise ValueError("a mail server reaches nobody by telephone: use webhook")
        return self

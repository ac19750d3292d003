"""A real mail server on 127.0.0.1 that takes, puts off or refuses what it is given."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "correct horse"  # noqa: S105 - of a server that lives for a test


@dataclass
class Mailhouse:
    """`answers`: to the next recipients, one each; then all are welcome."""

    answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            self.recipients.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        answer = self.data_answers.pop(0) if self.data_answers else "250 OK"
        if answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            mail = message_from_bytes(content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return answer


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
) -> AuthResult:
    right = isinstance(given, LoginPassword) and given.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def mailhouse(
    tls: ssl.SSLContext | None = None, *, implicit: bool = False, login: bool = False
) -> AsyncIterator[Mailhouse]:
    """With `tls` by STARTTLS, which it then insists on, or from the first byte."""
    house = Mailhouse()
    loop = asyncio.get_running_loop()

    def make() -> SMTP:
        # The library does not know that the connection is under TLS from its first byte.
        with warnings.catch_warnings(action="ignore"):
            return made()

    def made() -> SMTP:
        return SMTP(
            house,
            hostname="localhost",
            tls_context=None if implicit else tls,
            require_starttls=tls is not None and not implicit,
            auth_required=login,
            auth_require_tls=not implicit,
            authenticator=_authenticate if login else None,
            enable_SMTPUTF8=False,
        )

    server = await loop.create_server(make, "127.0.0.1", 0, ssl=tls if implicit else None)
    house.port = server.sockets[0].getsockname()[1]
    yield house
    server.close()

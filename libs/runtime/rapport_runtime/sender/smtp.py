"""Hands messages to a mail server."""

import re
import ssl
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

import aiosmtplib
import httpx2

from rapport_runtime.sender.message import SENT, Later, Message, Outcome, bounced, dead
from rapport_runtime.sender.settings import SmtpSettings

_PERMANENT: Final = range(500, 600)

_MAILBOX: Final = re.compile(r"[^\x00-\x20\x7f@<>()\[\]\\,;:\"]{1,64}")
_DOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


class Smtp:
    """One server; a connection for each message."""

    name = "smtp"
    needs_words = True

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._tls = ssl.create_default_context(cafile=settings.ca_file)
        self._from = _from_address(settings.from_address)

    async def send(self, message: Message) -> Outcome:
        try:
            mail = self._written(message)
        except (ValueError, HeaderParseError, httpx2.InvalidURL):
            # The library's sentence would quote the address.
            return bounced("bad_address")
        try:
            await aiosmtplib.send(
                mail,
                hostname=self._settings.host,
                port=self._settings.port,
                username=self._settings.user,
                password=self._settings.password,
                use_tls=self._settings.tls == "implicit",
                start_tls=self._settings.tls == "starttls",
                tls_context=self._tls,
                timeout=self._settings.timeout_seconds,
            )
        except aiosmtplib.SMTPException as error:
            return _judge(error)
        except ssl.SSLError:
            # Before the next: one that does not verify is a ValueError, too.
            return Later("connection")
        except ValueError:
            # It is stricter about addresses than the mail itself.
            return bounced("bad_address")
        return SENT

    def _written(self, message: Message) -> EmailMessage:
        rendered, variables = message.rendered, message.variables
        assert rendered is not None  # noqa: S101 - `needs_words`
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._from
        mail["To"] = _address(message.to or "")
        mail["Subject"] = rendered.subject or ""
        mail["Date"] = format_datetime(message.request.asked_at)
        # The same at every attempt, so that mailboxes show a repeat once.
        mail["Message-ID"] = f"<{message.id}@{self._from.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        _offer_to_unsubscribe(mail, variables.get("unsubscribe"))
        mail.set_content(rendered.text)
        if rendered.html is not None:
            mail.add_alternative(rendered.html, subtype="html")
        return mail


def _offer_to_unsubscribe(mail: EmailMessage, link: object) -> None:
    """RFC 2369 and, for one click without a page, RFC 8058."""
    if not isinstance(link, str) or not link.startswith("https://"):
        return
    if not (link.isascii() and link.isprintable()) or set(link) & set("<> "):
        return
    mail["List-Unsubscribe"] = f"<{link}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _address(text: str) -> Address:
    """One mailbox, with the domain as the DNS has it. Raises ValueError, and InvalidURL."""
    mailbox, _, domain = text.rpartition("@")
    ascii_domain = httpx2.URL(scheme="https", host=domain).raw_host.decode()
    if not (_MAILBOX.fullmatch(mailbox) and _DOMAIN.fullmatch(ascii_domain)):
        raise ValueError("this is no mailbox")
    return Address(username=mailbox, domain=ascii_domain)


def _from_address(text: str) -> Address:
    name, address = parseaddr(text)
    parsed = _address(address)
    return Address(display_name=name, username=parsed.username, domain=parsed.domain)


def _judge(error: aiosmtplib.SMTPException) -> Outcome:
    """What the server says of this person's mailbox or this mail is final; of us, it is not."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _by_code(max(one.code for one in error.recipients))
        case aiosmtplib.SMTPDataError():
            return _by_code(error.code)
        case aiosmtplib.SMTPNotSupported():
            return dead("smtp_not_supported")
        case aiosmtplib.SMTPTimeoutError():
            return Later("timeout")
        case aiosmtplib.SMTPAuthenticationError():
            return Later("smtp_auth")
        case aiosmtplib.SMTPResponseException():
            return Later(f"smtp_{error.code}")
    return Later("connection")


def _by_code(code: int) -> Outcome:
    return bounced(f"smtp_{code}") if code in _PERMANENT else Later(f"smtp_{code}")

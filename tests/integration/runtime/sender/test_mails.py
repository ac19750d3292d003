"""Messages by mail, against a real mail server."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rapport_runtime.sender import Contact, Ending, Requested, dead
from rapport_runtime.sender.settings import SmtpSettings
from rapport_runtime.sender.smtp import Smtp

from tests.support.certificates import certificate
from tests.support.mailhouse import PASSWORD, Mailhouse, mailhouse
from tests.support.sending import Office, Townspeople, requested, templates_in


def smtp(there: Mailhouse, **more: object) -> Smtp:
    given = {
        "host": "localhost",
        "port": there.port,
        "tls": "none",
        "from_address": "Acme Care <care@acme.example>",
        "timeout_seconds": 5,
    }
    return Smtp(SmtpSettings.model_validate({**given, **more}))


async def test_a_mail_says_who_writes_what_to_whom(office: Office, tmp_path: Path) -> None:
    asked = requested("survey:1")
    words = templates_in(
        tmp_path,
        hello_en="Subject: Dear {{ name }}, how was it?\nAnswer here: {{ link }}\nGrüße\n",
    )
    (tmp_path / "hello.en.html.liquid").write_text("<a href='{{ link }}'>Answer</a>", "utf-8")
    words = templates_in(tmp_path)
    await office.hear(asked)

    async with mailhouse() as there:
        await office.work(office.sender(smtp(there), templates=words))

    (mail,), (fact,) = there.mails, await office.facts()
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert mail["from"] == "Acme Care <care@acme.example>"
    assert mail["to"] == f"{asked.envelope.subject}@example.com"
    assert mail["subject"] == "Dear Ada, how was it?"
    assert mail["message-id"] == f"<{fact['data']['message']}@acme.example>"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["list-unsubscribe"] is None
    assert text is not None
    assert text.get_content().split() == ["Answer", "here:", "https://x.example/s/1", "Grüße"]
    assert html is not None
    assert "href='https://x.example/s/1'" in html.get_content()


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ("450 4.2.1 try later", "waiting", "smtp_450"),
        ("550 5.1.1 no such user", "dead", "smtp_550"),
        ("552 5.2.2 mailbox full", "dead", "smtp_552"),
    ],
)
async def test_a_mailbox_that_says_later_is_tried_again_and_one_that_says_no_is_not(
    office: Office, answer: str, state: str, reason: str
) -> None:
    await office.hear(requested("survey:1"))

    async with mailhouse() as there:
        there.answers = [answer]
        await office.work(office.sender(smtp(there)))
        first = (await office.rows())["survey:1"]
        await office.make_due()
        await office.work(office.sender(smtp(there)))

    facts = [(fact["type"], fact["data"].get("reason")) for fact in await office.facts()]
    assert (first["state"], first["last_error"]) == (state, reason)
    assert facts == [
        ("message.sent.v1", None) if state == "waiting" else ("message.bounced.v1", reason)
    ]


@pytest.mark.parametrize(("answer", "state"), [("451 busy", "waiting"), ("554 spam", "dead")])
async def test_what_the_server_says_of_the_mail_itself_counts_too(
    office: Office, answer: str, state: str
) -> None:
    await office.hear(requested("survey:1"))

    async with mailhouse() as there:
        there.data_answers = [answer]
        await office.work(office.sender(smtp(there)))

    assert (await office.rows())["survey:1"]["state"] == state


@pytest.mark.parametrize("implicit", [False, True])
async def test_mail_leaves_under_tls_with_a_login(
    office: Office, tmp_path: Path, *, implicit: bool
) -> None:
    trusted, context = certificate(tmp_path, "localhost")
    await office.hear(requested("survey:1"))

    async with mailhouse(context, implicit=implicit, login=True) as there:
        transport = smtp(
            there,
            tls="implicit" if implicit else "starttls",
            ca_file=trusted,
            user="rapport",
            password=PASSWORD,
        )
        await office.work(office.sender(transport))

    assert len(there.mails) == 1


async def test_no_mail_is_given_to_a_server_that_cannot_prove_its_name(
    office: Office, tmp_path: Path
) -> None:
    trusted, context = certificate(tmp_path, "other.example")
    await office.hear(requested("survey:1"))

    async with mailhouse(context) as there:
        await office.work(office.sender(smtp(there, tls="starttls", ca_file=trusted)))

    row = (await office.rows())["survey:1"]
    assert (row["state"], row["last_error"]) == ("waiting", "connection")
    assert not there.mails


async def test_a_wrong_password_is_ours_to_mend_and_nobody_bounces(
    office: Office, tmp_path: Path
) -> None:
    trusted, context = certificate(tmp_path, "localhost")
    await office.hear(requested("survey:1"))

    async with mailhouse(context, login=True) as there:
        transport = smtp(there, tls="starttls", ca_file=trusted, user="rapport", password="x")  # noqa: S106
        await office.work(office.sender(transport))

    assert (await office.rows())["survey:1"]["last_error"] == "smtp_auth"
    assert await office.facts() == []


async def test_a_server_that_is_away_is_waited_for(office: Office) -> None:
    async with mailhouse() as there:
        transport = smtp(there)
    await office.hear(requested("survey:1"))

    await office.work(office.sender(transport))

    assert (await office.rows())["survey:1"]["last_error"] == "connection"


class _Correspondents(Townspeople):
    """People with odd addresses, and a link to unsubscribe by."""

    email = ""
    link = ""

    async def addresses(self, subjects: Collection[str]) -> Mapping[str, Contact]:
        return dict.fromkeys(subjects, Contact(self.email))

    async def variables(
        self, requests: Sequence[Requested]
    ) -> Sequence[Mapping[str, Any] | Ending]:
        return [{"name": "Ada", "unsubscribe": self.link}] * len(requests)


async def _write(office: Office, email: str, link: str = "") -> tuple[Mailhouse, dict[str, Any]]:
    people = _Correspondents()
    people.email, people.link = email, link
    await office.hear(requested("survey:1"))
    async with mailhouse() as there:
        await office.work(office.sender(smtp(there), recipients=people))
    return there, (await office.rows())["survey:1"]


@pytest.mark.parametrize(
    ("email", "written"),
    [
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("o'hara+x@example.com", "o'hara+x@example.com"),
    ],
)
async def test_odd_addresses_are_written_to(office: Office, email: str, written: str) -> None:
    there, _ = await _write(office, email)

    assert there.recipients == [written]


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "@",
        "ada",
        "<script>@example.com>",
    ],
)
async def test_an_address_that_would_be_several_is_written_to_nobody(
    office: Office, email: str
) -> None:
    there, row = await _write(office, email)

    assert not there.recipients
    assert row["state"] == "dead"


async def test_an_address_that_the_server_cannot_take_is_listed(office: Office) -> None:
    there, row = await _write(office, "ädä@example.com")

    assert not there.recipients
    assert row["last_error"] == dead("smtp_not_supported").reason


async def test_people_can_unsubscribe_with_one_click(office: Office) -> None:
    there, _ = await _write(office, "ada@example.com", "https://x.example/u/1")

    (mail,) = there.mails
    assert mail["list-unsubscribe"] == "<https://x.example/u/1>"
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x.example/>\r\nBcc: a@b.c"])
async def test_a_link_that_is_none_gets_no_header(office: Office, link: str) -> None:
    there, _ = await _write(office, "ada@example.com", link)

    (mail,) = there.mails
    assert mail["list-unsubscribe"] is None
    assert mail["bcc"] is None

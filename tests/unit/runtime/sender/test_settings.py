"""How messages leave, as a deployment says it."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from rapport_runtime.sender import SenderSettings, make_transports
from rapport_runtime.settings import Settings

from tests.support.sending import SECRET


class _Settings(Settings):
    sender: SenderSettings = SenderSettings()


def test_without_a_word_nothing_leaves() -> None:
    assert make_transports(SenderSettings()) == {}


def test_each_channel_names_its_transport_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secrets").write_text(f"{SECRET}\n{SECRET}\n", "utf-8")
    for name, value in {
        "KAFKA__BOOTSTRAP": "localhost:1",
        "DATABASE__URL": "postgresql+asyncpg://localhost/x",
        "SENDER__EMAIL": "smtp",
        "SENDER__SMTP__HOST": "mail.example",
        "SENDER__SMTP__FROM_ADDRESS": "Acme <care@acme.example>",
        "SENDER__SMS": "webhook",
        "SENDER__WEBHOOK__URL": "https://sms.example/hook",
        "SENDER__WEBHOOK__SECRETS_FILE": str(tmp_path / "secrets"),
        "SENDER__CHAT": "console",
        "SENDER__CONSOLE_FILE": str(tmp_path / "sent.jsonl"),
    }.items():
        monkeypatch.setenv(f"RAPPORT_{name}", value)

    transports = make_transports(_Settings().sender)

    names = {channel: one.name for channel, one in transports.items()}
    assert names == {"email": "smtp", "sms": "webhook", "chat": "console"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"email": "smtp"}, "RAPPORT_SENDER__EMAIL=smtp needs RAPPORT_SENDER__SMTP__"),
        ({"sms": "console"}, "needs RAPPORT_SENDER__CONSOLE_FILE"),
        ({"email": "pigeon"}, "smtp"),
        ({"webhook": {"url": "https://x.example/", "secrets": "short"}}, "whsec_"),
        ({"webhook": {"url": "https://x.example/", "secrets": "whsec_YQ=="}}, "24 to 64 bytes"),
        ({"webhook": {"url": "https://x.example/", "secrets": " "}}, "at least one secret"),
        (
            {"sms": "smtp", "smtp": {"host": "x", "from_address": "a@b.c"}},
            "a mail server reaches nobody by telephone",
        ),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(given: object, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        SenderSettings.model_validate(given)


def test_a_refusal_does_not_repeat_a_secret() -> None:
    secret = "whsec_c2VjcmV0"  # noqa: S105 - made up
    given = {"webhook": {"url": "https://x.example/", "secrets": secret}}

    with pytest.raises(ValidationError) as caught:
        SenderSettings.model_validate(given)

    assert secret not in str(caught.value)

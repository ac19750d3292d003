"""What `rapport env` tells a shell."""

from pathlib import Path

import pytest
from rapport_cli.commands.env import variables
from rapport_runtime.settings import Settings

STACK = {
    "ingest": "http://127.0.0.1:7701",
    "kafka": "127.0.0.1:7709",
    "broker": "embedded",
    "keys": {"publisher": "rpt_a", "ops": "rpt_b"},
    "databases": {"rapport_ingest": "postgresql://…"},
}


def test_a_shell_learns_where_services_are_and_the_keys_to_them() -> None:
    assert variables(STACK, Path("/state/stack.json")) == {
        "RAPPORT_STACK": "/state/stack.json",
        "RAPPORT_KAFKA__BOOTSTRAP": "127.0.0.1:7709",
        "RAPPORT_INGEST_URL": "http://127.0.0.1:7701",
        "RAPPORT_KEY_PUBLISHER": "rpt_a",
        "RAPPORT_KEY_OPS": "rpt_b",
    }


def test_what_a_shell_learns_disturbs_no_service_that_is_started_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    required = {
        "RAPPORT_DATABASE__URL": "postgresql+asyncpg://u@h/d",
        "RAPPORT_KEYRING__URL": "postgresql+asyncpg://u@h/k",
        "RAPPORT_KEYRING__MASTER_KEY": "A" * 43 + "=",
        "RAPPORT_KEYS_FILE": "/keys.json",
        "RAPPORT_SPOOL__DIR": "/spool",
        "RAPPORT_HTTP__PORT": "7701",
    }
    for name, value in (required | variables(STACK, Path("/state/stack.json"))).items():
        monkeypatch.setenv(name, value)

    settings = Settings()

    assert settings.kafka.bootstrap == "127.0.0.1:7709"

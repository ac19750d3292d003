"""`rapport config show` tells what is set, and no secret."""

import json

import pytest
from rapport_cli.main import build
from typer.testing import CliRunner


def _shown(environment: dict[str, str]) -> dict[str, dict[str, str | None]]:
    result = CliRunner().invoke(build(None), ["config", "show", "--json"], env=environment)
    assert result.exit_code == 0
    return {row["variable"]: row for row in json.loads(result.output)}


def test_a_setting_is_shown_with_where_it_comes_from() -> None:
    shown = _shown({"RAPPORT_LOG__LEVEL": "debug"})

    assert shown["RAPPORT_LOG__LEVEL"]["value"] == "debug"
    assert shown["RAPPORT_LOG__LEVEL"]["source"] == "environment"
    assert shown["RAPPORT_LOG__FORMAT"]["source"] == "default"


def test_what_must_be_set_and_is_not_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RAPPORT_KAFKA__BOOTSTRAP", raising=False)

    assert _shown({})["RAPPORT_KAFKA__BOOTSTRAP"]["source"] == "not set"


def test_secrets_are_never_shown() -> None:
    private = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="
    environment = {
        "RAPPORT_KEYRING__MASTER_KEY": private,
        "RAPPORT_KAFKA__SASL_PASSWORD": private,
        "RAPPORT_DATABASE__URL": f"postgresql+asyncpg://rapport:{private}@db/rapport_profile",
    }

    shown = _shown(environment)

    assert private not in json.dumps(shown)
    assert shown["RAPPORT_KEYRING__MASTER_KEY"]["value"] == "(hidden)"
    url = shown["RAPPORT_DATABASE__URL"]["value"]
    assert url == "postgresql+asyncpg://rapport:***@db/rapport_profile"

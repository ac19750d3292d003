"""Trying triggers from the command line."""

import json
from pathlib import Path

import pytest
from rapport_cli.main import build
from rapport_personalization.documents import FOLDER
from typer.testing import CliRunner


def tried(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(build("triggers"), ["triggers", "test", *words])
    return result.exit_code, result.stdout


def test_all_triggers_that_ship_do_what_their_scenarios_tell() -> None:
    status, said = tried("--json")

    report = json.loads(said)
    assert (status, report["failures"], report["untested"]) == (0, [], [])
    assert (report["triggers"], report["passed"] >= 4 * 27) == (27, True)


@pytest.fixture
def thanks(tmp_path: Path) -> Path:
    """A folder with one trigger and its scenarios."""
    (tmp_path / "scenarios").mkdir()
    for name in ("thanks.yaml", "scenarios/thanks.yaml"):
        (tmp_path / name).write_text((FOLDER / name).read_text())
    return tmp_path


def test_a_trigger_that_waits_for_another_time_is_told(thanks: Path) -> None:
    trigger = thanks / "thanks.yaml"
    trigger.write_text(trigger.read_text().replace("delay: 1h", "delay: 2h"))

    status, said = tried(str(thanks))

    assert status == 1
    assert "failed" in said.splitlines()[-1]
    assert "expected:" in said


def test_a_trigger_without_a_scenario_is_told(thanks: Path) -> None:
    (thanks / "scenarios/thanks.yaml").unlink()

    status, said = tried(str(thanks))

    assert (status, "thanks: no scenario tells what it does" in said) == (1, True)


def test_a_folder_without_triggers_is_no_success(tmp_path: Path) -> None:
    assert tried(str(tmp_path))[0] == 1

"""Alerts and dashboard speak of metrics that exist, and every alert of a page to read."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ALERTS = Path("deploy/prometheus/alerts.yml")
DASHBOARD = Path("deploy/grafana/dashboards/streams.json")
_SUFFIXES = re.compile(r"_(total|bucket|sum|count)$")


def _rules() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    return rules


def _metrics_in_the_code() -> set[str]:
    """What is counted, without `rapport_<service>_` in front and without suffixes behind."""
    calls = re.compile(r'\.(?:counter|gauge|histogram)\(\s*"([a-z_]+)"|^\s+\("([a-z_]+)", "', re.M)
    sources = [*Path("libs").rglob("*.py"), *Path("services").rglob("*.py")]
    found = (call for source in sources for call in calls.findall(source.read_text()))
    return {first or second for first, second in found}


@pytest.mark.parametrize("file", [ALERTS, DASHBOARD], ids=lambda file: file.stem)
def test_only_metrics_that_exist_are_looked_at(file: Path) -> None:
    used = {
        _SUFFIXES.sub("", name)
        for name in re.findall(r"rapport_(?:ingest|profile|feedback)_([a-z_]+)", file.read_text())
    }

    assert used
    assert used <= _metrics_in_the_code()


def test_every_alert_has_its_page_in_the_runbook() -> None:
    headings = re.findall(r"^## (\w+)$", Path("docs/runbook.md").read_text(), re.M)

    assert [rule["alert"] for rule in _rules()] == headings
    for rule in _rules():
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_the_dashboard_keeps_its_address_and_asks_the_chosen_source() -> None:
    dashboard = json.loads(DASHBOARD.read_text())

    assert dashboard["uid"] == "rapport-streams"
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {"${datasource}"}


def test_alerts_fire_when_they_should_and_not_else() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")

    found = subprocess.run(
        [promtool, "test", "rules", "alerts.test.yml"],
        cwd=ALERTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert found.returncode == 0, found.stdout + found.stderr

"""The compose file and the image, as far as they can be judged without an engine."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rapport_cli.stack.services import installed_services

SECRETS = (
    "POSTGRES_PASSWORD",
    "INGEST_PASSWORD",
    "PROFILE_PASSWORD",
    "PERSONALIZATION_PASSWORD",
    "FEEDBACK_PASSWORD",
    "METRICS_PASSWORD",
    "KEYRING_PASSWORD",
    "GRAFANA_PASSWORD",
    "RAPPORT_KEY_PUBLISHER",
    "RAPPORT_KEY_AGENT",
    "RAPPORT_KEY_OPS",
)


def _tool(name: str) -> str:
    """A program that comes with the development dependencies."""
    found = shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not there for this kind of machine")
    return found


def _compose(*arguments: str, secrets: bool = True) -> subprocess.CompletedProcess[str]:
    given = dict.fromkeys(SECRETS, "made-up") if secrets else {}
    command = [_tool("docker-compose"), "--profile", "*", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **given}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found = _compose("config", "--format", "json")
    assert found.returncode == 0, found.stderr
    document: dict[str, Any] = json.loads(found.stdout)["services"]
    return document


def test_compose_understands_the_file() -> None:
    found = _compose("config", "-q")

    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_without_secrets_compose_says_how_to_make_them() -> None:
    found = _compose("config", "-q", secrets=False)

    assert found.stdout == ""
    assert "run deploy/make-secrets first" in found.stderr


def test_the_linter_finds_nothing_worse_than_tags_without_digests() -> None:
    found = subprocess.run(
        [_tool("compose-lint"), "check", "--format", "json", "docker-compose.yml"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    rules = {(one["rule_id"], one["service"]) for one in json.loads(found.stdout)["findings"]}

    assert {(rule, name) for rule, name in rules if rule != "CL-0019"} == {("CL-0007", "kafka")}


def test_the_dockerfile_has_no_findings() -> None:
    found = subprocess.run(
        [_tool("hadolint"), "deploy/Dockerfile"], capture_output=True, text=True, timeout=60
    )

    assert (found.returncode, found.stdout) == (0, "")


def test_every_service_that_exists_is_deployed(services: dict[str, Any]) -> None:
    for service in installed_services():
        assert services[service.name]["command"] == [service.package, "all"]
        assert services[f"{service.name}-migrate"]["command"] == [service.package, "migrate"]


def test_services_start_after_topics_keys_and_migrations(services: dict[str, Any]) -> None:
    for service in installed_services():
        before = services[service.name]["depends_on"]

        assert set(before) == {"topics", "keys", f"{service.name}-migrate"}
        assert {one["condition"] for one in before.values()} == {"service_completed_successfully"}


def test_nothing_listens_on_other_interfaces_than_loopback(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_every_container_is_hardened(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service.get("read_only", False) or name == "kafka", name
        assert "privileged" not in service, name


def test_broker_and_database_have_no_way_out_and_are_apart(services: dict[str, Any]) -> None:
    assert set(services["postgres"]["networks"]) == {"db"}
    assert "db" not in services["kafka"]["networks"]
    networks = json.loads(_compose("config", "--format", "json").stdout)["networks"]
    assert networks["db"]["internal"]
    assert networks["bus"]["internal"]


def test_postgres_has_its_volume_where_version_18_wants_it(services: dict[str, Any]) -> None:
    image, volumes = services["postgres"]["image"], services["postgres"]["volumes"]

    assert image.startswith("postgres:18.")
    assert "/var/lib/postgresql" in {volume["target"] for volume in volumes}


def test_the_kafka_of_the_compose_file_is_the_one_of_the_tests(services: dict[str, Any]) -> None:
    version = services["kafka"]["image"].partition(":")[2]

    assert f"<kafka.version>{version}<" in Path("deploy/kafka/pom.xml").read_text()


def test_secrets_are_made_once_and_never_overwritten(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "make-secrets"
    script.parent.mkdir()
    shutil.copy("deploy/make-secrets", script)

    first = subprocess.run([script], capture_output=True, timeout=30)
    made = (tmp_path / ".env").read_text()
    second = subprocess.run([script], capture_output=True, timeout=30)

    assert (first.returncode, second.returncode) == (0, 1)
    assert {line.partition("=")[0] for line in made.splitlines()} == set(SECRETS)
    assert (tmp_path / ".env").read_text() == made
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert (tmp_path / "deploy" / "secrets").stat().st_mode & 0o077 == 0

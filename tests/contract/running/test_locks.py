"""What is installed is what was locked, wherever it comes from."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = [Path("requirements.lock"), Path("deploy/requirements.lock")]
PROJECTS = [Path("pyproject.toml"), Path("cli/pyproject.toml")]
PROJECTS += chain(Path("libs").glob("*/pyproject.toml"), Path("services").glob("*/pyproject.toml"))


def _pins(lock: Path) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", lock.read_text(), re.M):
        pins.setdefault(canonicalize_name(name), set()).add(version)
    return pins


def _declared() -> list[Requirement]:
    found: list[str] = []
    for project in PROJECTS:
        document = tomllib.loads(project.read_text())
        found += document["project"]["dependencies"]
        found += chain.from_iterable(document.get("dependency-groups", {}).values())
    return [Requirement(one) for one in found if not one.startswith("rapport-")]


@pytest.mark.parametrize("requirement", _declared(), ids=str)
def test_what_a_package_declares_is_locked_at_a_version_that_it_allows(
    requirement: Requirement,
) -> None:
    versions = _pins(LOCKS[0]).get(canonicalize_name(requirement.name), set())

    assert any(requirement.specifier.contains(version) for version in versions), "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_every_locked_package_has_a_hash_and_no_address(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())

    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock.read_text()


def test_the_image_holds_the_versions_that_were_tested() -> None:
    tested, shipped = (_pins(lock) for lock in LOCKS)

    assert all(versions <= tested[name] for name, versions in shipped.items())

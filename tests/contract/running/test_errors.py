"""What the command line says when something is wrong, and where it is explained."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
import rapport_cli
from rapport_cli.failure import CliError
from rapport_cli.main import build
from typer.testing import CliRunner

DOCUMENTED = Path("docs/errors.md").read_text("utf-8")


def _every_error() -> list[type[CliError]]:
    for module in pkgutil.walk_packages(rapport_cli.__path__, "rapport_cli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds: list[type[CliError]] = [CliError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return kinds[1:]


ERRORS = _every_error()


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in ERRORS]

    assert len(set(codes)) == len(codes)


def test_the_table_of_errors_is_complete_and_has_nothing_else() -> None:
    rows = set(re.findall(r"\| <a id=\"(rpt-[a-z]\d+)\"></a>RPT-", DOCUMENTED))

    assert rows == {error.code.lower() for error in ERRORS}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_error_ends_with_a_documented_status(error: type[CliError]) -> None:
    assert error.exit_code in {1, 2, 3, 4}
    assert re.fullmatch(r"RPT-[A-Z]\d{3}", error.code)


def test_the_help_fits_on_a_screen() -> None:
    shown = CliRunner().invoke(build(None), ["--help"])

    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) < 25


def test_a_mistyped_command_is_met_with_the_right_one() -> None:
    shown = CliRunner().invoke(build(None), ["topcs"])

    assert shown.exit_code == 2
    assert "topics" in shown.output

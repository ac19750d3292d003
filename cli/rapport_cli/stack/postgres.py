"""A PostgreSQL server of our own: one data directory, one port of the loopback interface."""

import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rapport_cli.failure import CliError
from rapport_cli.stack import databases, pginstall
from rapport_cli.stack.processes import Account, Command, Process, free_port, run, until_ready

_USER = "rapport"
_INITIALISE_SECONDS = 120.0
_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0


class DirectoryInUseError(CliError):
    code = "RPT-D003"
    exit_code = 3

    def __init__(self, directory: Path, pid: int) -> None:
        super().__init__(
            f"PostgreSQL (pid {pid}) already runs on {directory}.",
            "Stop the other stack first, or choose another --state-dir.",
        )


class UnreachableDirectoryError(CliError):
    code = "RPT-D004"
    exit_code = 3

    def __init__(self, directory: Path, account: Account) -> None:
        super().__init__(
            f"The user `{account.name}`, whom PostgreSQL runs as, may not enter {directory}.",
            "Choose a --state-dir in a folder that other users may enter, for example below"
            " /var/lib or /tmp.",
        )


class Postgres:
    """A server that can be ended, paused and started again on the same data and port."""

    def __init__(self, process: Process, port: int, password: str | None) -> None:
        self.process = process
        self.port = port
        self._password = password

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def admin_url(self) -> str:
        """The address of the database from which others are made, with the password in it."""
        secret = "" if self._password is None else f":{self._password}"
        return f"postgresql://{_USER}{secret}@127.0.0.1:{self.port}/postgres"

    async def create_database(self, name: str, template: str = "template1") -> str:
        """Makes a database as a copy of `template` and returns its SQLAlchemy URL."""
        return await databases.create_database(self.admin_url, name, template)

    def kill9(self) -> None:
        """Ends the server at once; its backends notice and follow within milliseconds."""
        self.process.kill9()

    def pause(self) -> None:
        """Stops the postmaster: running sessions go on, new ones hang."""
        self.process.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send(signal.SIGCONT)

    async def start(self) -> None:
        """Starts it on its data, after `kill9` with crash recovery, and waits for an answer."""
        self.process.start()
        await until_ready(self.process, self._answers, _READY_SECONDS)

    async def stop(self) -> None:
        """A fast shutdown: sessions are ended, nothing committed is lost."""
        await self.process.stop(_STOP_SECONDS)

    async def _answers(self) -> bool:
        try:
            await databases.database_names(self.admin_url)
        except databases.UnreachableDatabaseError:
            return False
        return True


@asynccontextmanager
async def open_postgres(
    directory: Path, *, port: int | None = None, password: str | None = None, fsync: bool = True
) -> AsyncIterator[Postgres]:
    """Starts a server on `directory/data`, made if it is not there, and stops it at the end.

    Without a password every user of this machine may connect: for tests. So is `fsync=False`.
    """
    account = pginstall.server_account(directory)
    programs = pginstall.programs(account)
    _own(directory, account)
    data = directory / "data"
    if not (data / "PG_VERSION").exists():
        await _initialise(programs, data, account, password, fsync=fsync)
    _refuse_when_in_use(data)
    port = port or free_port()
    command = _server_command(programs, data, port, account, fsync=fsync)
    server = Postgres(Process(command), port, password)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


def _own(directory: Path, account: Account | None) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account is not None:
        if not pginstall.reachable(directory.parent, account):
            raise UnreachableDirectoryError(directory.parent, account)
        os.chown(directory, account.uid, account.gid)


async def _initialise(
    programs: Path, data: Path, account: Account | None, password: str | None, *, fsync: bool
) -> None:
    """Makes the data directory beside its final name: a half-made one is never taken for whole."""
    draft, secret = data.with_name("data.draft"), data.with_name("password.draft")
    shutil.rmtree(draft, ignore_errors=True)
    arguments = [str(programs / "initdb"), "-D", str(draft), "-U", _USER, "--no-instructions"]
    arguments += ["--encoding=UTF8", "--locale=C.UTF-8"]
    arguments += [] if fsync else ["--no-sync"]
    if password is None:
        arguments += ["--auth=trust"]
    else:
        secret.touch(mode=0o600)
        secret.write_text(password)
        if account is not None:
            os.chown(secret, account.uid, account.gid)
        arguments += ["--auth=scram-sha-256", f"--pwfile={secret}"]
    command = Command(
        name="initdb", argv=tuple(arguments), log=data.with_name("initdb.log"), account=account
    )
    try:
        await run(command, _INITIALISE_SECONDS)
    finally:
        secret.unlink(missing_ok=True)
    draft.rename(data)


def _refuse_when_in_use(data: Path) -> None:
    """A pid file that names no living server of this directory is stale, and in its way."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split("\n", 1)[0])
    arguments = Path(f"/proc/{pid}/cmdline")
    if arguments.exists() and os.fsencode(data) in arguments.read_bytes():
        raise DirectoryInUseError(data, pid)
    if Path("/proc/self").exists():
        pid_file.unlink()


def _server_command(
    programs: Path, data: Path, port: int, account: Account | None, *, fsync: bool
) -> Command:
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "fsync": "on" if fsync else "off",
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return Command(
        name="PostgreSQL",
        argv=(str(programs / "postgres"), "-D", str(data), "-p", str(port), *options),
        log=data.with_name("postgres.log"),
        account=account,
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGQUIT,
    )

"""Child processes that end with their owner, whatever ends the owner."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rapport_cli.failure import CliError

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_TAIL_BYTES = 1_500
_LOOK_AGAIN_SECONDS = 0.02


class ProcessFailedError(CliError):
    code = "RPT-S001"

    def __init__(self, command: "Command", status: int | None) -> None:
        super().__init__(
            f"{command.name} ended with status {status}. Its last words:\n{tail(command.log)}\n",
            f"The whole log is {command.log}.",
        )


class NotStartedError(CliError):
    code = "RPT-S010"

    def __init__(self, command: "Command", reason: OSError) -> None:
        super().__init__(
            f"{command.name} cannot be started: {reason.strerror} ({command.argv[0]}).",
            "Is it installed, and may this user run it?",
        )


class NotReadyError(CliError):
    code = "RPT-S002"

    def __init__(self, name: str, seconds: float, log: Path | None) -> None:
        super().__init__(
            f"{name} gave no answer within {seconds:g} s.",
            f"Look into {log}." if log else "Is it running, and is the address right?",
        )


@dataclass(frozen=True, slots=True)
class Account:
    """The user a child runs as when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run. `stop_signal` asks it to end; the kernel sends `orphan_signal` when we die."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL


class Process:
    """One child, in a process group of its own; may be started again after it ended.

    Start it from a thread that lives as long as the child shall: to the kernel the death of the
    starting *thread* is the death of the owner.
    """

    def __init__(self, command: Command) -> None:
        self.command = command
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise ValueError(f"{self.command.name} has not been started")
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def status(self) -> int | None:
        """The exit status; negative for a signal, None while it runs."""
        return None if self._child is None else self._child.poll()

    def start(self) -> None:
        """Raises NotStartedError."""
        try:
            self._child = self._spawn()
        except OSError as error:
            raise NotStartedError(self.command, error) from error

    def _spawn(self) -> "subprocess.Popen[bytes]":
        account = self.command.account
        with self.command.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # every argument is ours
                self.command.argv,
                env={**os.environ, **self.command.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
                preexec_fn=self._follow(os.getpid()),
            )

    def _follow(self, owner: int) -> Callable[[], None]:
        """Runs in the child after it took its user: changing the user would clear the setting."""
        signal_number = int(self.command.orphan_signal)

        def follow() -> None:
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
            if os.getppid() != owner:
                os._exit(1)

        return follow

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the process itself; nothing happens when it has ended."""
        if self._child is not None:
            self._child.send_signal(number)

    def kill9(self) -> None:
        """Ends the whole group at once, and waits until the kernel has done it."""
        if self._child is not None and self.running:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait(10)

    async def wait(self, seconds: float) -> bool:
        """True as soon as it has ended, False when it still runs after `seconds`."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:  # noqa: ASYNC110  # no portable event
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return not self.running

    async def stop(self, grace: float = 10.0) -> None:
        """Asks, waits `grace` seconds, then ends the group by force."""
        self.send(self.command.stop_signal)
        self.send(signal.SIGCONT)
        try:
            await self.wait(grace)
        finally:
            self.kill9()


async def run(command: Command, seconds: float) -> None:
    """Runs a command to its end; ProcessFailedError unless it ends well, NotReadyError if late."""
    process = Process(command)
    process.start()
    try:
        if not await process.wait(seconds):
            raise NotReadyError(command.name, seconds, command.log)
    finally:
        process.kill9()
    if process.status != 0:
        raise ProcessFailedError(command, process.status)


async def until_ready(
    process: Process, probe: Callable[[], Awaitable[bool]], seconds: float
) -> None:
    """Waits for the first yes of `probe`; raises if the process ends before, or time is up."""
    deadline = time.monotonic() + seconds
    while not await probe():
        if not process.running:
            raise ProcessFailedError(process.command, process.status)
        if time.monotonic() > deadline:
            raise NotReadyError(process.command.name, seconds, process.command.log)
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def port_answers(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    await writer.wait_closed()
    return True


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at this moment."""
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        port: int = candidate.getsockname()[1]
        return port


def tail(log: Path) -> str:
    """The end of a log file, empty when there is none."""
    if not log.exists():
        return ""
    return log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()

"""A stack with the demo's customers in it, and ways to look for what a command left behind."""

import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rapport_cli.demo.show import Shown, Wish, show
from rapport_cli.stack.ports import claimed_base
from rapport_cli.stack.services import KAFKA_OFFSET, POSTGRES_OFFSET, installed_services
from rapport_cli.stack.statedir import StateDir
from rapport_cli.stack.up import Plan, running_stack
from rich.console import Console

from tests.support.servers import server_directory

_MARK = "RAPPORT_TEST_RUN"
_OFFSETS = (*(service.offset for service in installed_services()), POSTGRES_OFFSET, KAFKA_OFFSET)
_FIRST_PORT = 17_700
_GONE_SECONDS = 20.0


@dataclass(frozen=True)
class DemoStack:
    """`shown` is what the demo sent and read back."""

    file: Path
    shown: Shown


@asynccontextmanager
async def open_demo_stack() -> AsyncIterator[DemoStack]:
    """The stack and traffic of `rapport demo`, in this process."""
    quiet = Console(stderr=True, quiet=True)
    with server_directory() as folder, claimed_base(_FIRST_PORT, _OFFSETS) as base:
        plan = Plan(state_dir=folder, base_port=base, broker="embedded", fsync=False)
        state = StateDir(folder)
        async with running_stack(plan, lambda _: None) as stack:
            wish = Wish(seed=1, customers=5, days=30)
            shown = await show(wish, stack.description, state.keys_file, quiet)
            yield DemoStack(state.stack_file, shown)
        shutil.rmtree(state.postgres)


@contextmanager
def marked_environment() -> Iterator[dict[str, str]]:
    """An environment with a temporary folder of its own, and a mark by which children are found."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-test-"))
    folder.chmod(0o711)
    try:
        yield {**os.environ, "TMPDIR": str(folder), _MARK: folder.name}
    finally:
        shutil.rmtree(folder)


def left_behind(environment: dict[str, str]) -> list[str]:
    """Files and processes of a command that ran in this environment, and has ended.

    What it killed may need a moment to be gone.
    """
    deadline = time.monotonic() + _GONE_SECONDS
    while (found := _found(environment)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _found(environment: dict[str, str]) -> list[str]:
    files = [str(path) for path in Path(environment["TMPDIR"]).iterdir()]
    return files + list(_commands(f"{_MARK}={environment[_MARK]}".encode()))


def _commands(mark: bytes) -> Iterator[str]:
    """Command lines of the processes whose environment has the mark (on Linux)."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has ended, or is none of ours
            continue

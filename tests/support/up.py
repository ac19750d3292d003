"""`rapport up` as a person runs it: a process of its own, watched from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from rapport_cli.stack.ports import claimed_base

_READY_SECONDS = 180.0
_STOP_SECONDS = 60.0
_GONE_SECONDS = 60.0
_LEVEL_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.1


class Up:
    """One `rapport up`. Every process that comes of it carries the same mark in its environment."""

    def __init__(self, state_dir: Path, base_port: int, *options: str) -> None:
        self.state_dir = state_dir
        self.base_port = base_port
        self._mark = f"RAPPORT_TEST_MARK={uuid4().hex}"
        self._talk = state_dir / "talk.log"
        state_dir.mkdir(exist_ok=True, mode=0o711)
        command = [sys.executable, "-m", "rapport_cli", "up", "--no-fsync"]
        command += ["--state-dir", str(state_dir), "--base-port", str(base_port), *options]
        name, _, value = self._mark.partition("=")
        with self._talk.open("w") as talk:
            self.process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=talk, env={**os.environ, name: value}
            )

    @property
    def talk(self) -> str:
        """What it has said so far."""
        return self._talk.read_text()

    @property
    def stack(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.state_dir / "stack.json").read_text())
        return document

    def wait_until_ready(self) -> dict[str, Any]:
        """What `stack.json` holds, once it is there."""
        file = self.state_dir / "stack.json"
        wait_until(lambda: file.exists() or self.process.poll() is not None, _READY_SECONDS)
        assert file.exists(), f"`rapport up` ended with {self.process.poll()}: {self.talk}"
        return self.stack

    def ask(self, *command: str) -> tuple[int, Any]:
        """Runs another command about this stack; its exit status and its JSON."""
        arguments = [sys.executable, "-m", "rapport_cli", *command]
        arguments += ["--stack", str(self.state_dir / "stack.json")]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=_STOP_SECONDS)
        return done.returncode, json.loads(done.stdout)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to end, and returns its exit status."""
        self.process.send_signal(how)
        return self.process.wait(_STOP_SECONDS)

    def processes(self) -> set[int]:
        """Everything that runs and came of it.

        Children are looked for, too: PostgreSQL's write over the environment that shows the mark.
        """
        parents = _parents()
        found = {pid for pid in parents if _has_mark(pid, self._mark.encode())}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    def wait_until_gone(self, pids: set[int]) -> None:
        """Nothing that came of it runs, and none of these do."""
        wait_until(lambda: not (self.processes() | pids & _parents().keys()), _GONE_SECONDS)
        assert self.processes() | (pids & _parents().keys()) == set()

    def end(self) -> None:
        """Whatever happened before: nothing stays behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(_STOP_SECONDS)
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def rapport_up(state_dir: Path, *options: str, first_port: int = 21_000) -> Iterator[Up]:
    """Starts it on free ports; it may end by itself, and is ended at the latest here."""
    with claimed_base(first_port, range(1, 10)) as base_port:
        running = Up(state_dir, base_port, *options)
        try:
            yield running
        finally:
            running.end()


def publish(stack: Mapping[str, Any], customer: str) -> str:
    """Sends one event of the customer; the answer's consistency token."""
    event = {"userId": customer, "event": "Order Completed", "messageId": uuid4().hex}
    answer = httpx2.post(
        f"{stack['ingest']}/v1/track",
        json=event,
        auth=(stack["keys"]["publisher"], ""),
        timeout=15,
        trust_env=False,
    )
    assert answer.json()["accepted"] == 1, answer.text
    return str(answer.json()["consistency_token"])


def profile_status(
    stack: Mapping[str, Any], customer: str, token: str | None = None, role: str = "agent"
) -> int:
    """What the profile service answers about the customer, with what the token stands for in it."""
    headers = {"authorization": f"Bearer {stack['keys'][role]}", "prefer": "wait=10"}
    if token is not None:
        headers["consistency-token"] = token
    url = f"{stack['profile']}/v1/profiles/user_id:{customer}"
    deadline = time.monotonic() + _LEVEL_SECONDS
    while True:
        status = httpx2.get(url, headers=headers, timeout=15, trust_env=False).status_code
        # On a busy machine it may be too early still: whoever is told so asks again.
        if status != httpx2.codes.TOO_EARLY or time.monotonic() > deadline:
            return status


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Returns when the condition holds or time is up; what was hoped for is asserted after."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_SECONDS)


def _parents() -> dict[int, int]:
    """The parent of every process that has not ended."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            found[int(folder.name)] = int(fields[1])
    return found


def _has_mark(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False

"""What a stack keeps on disk: secrets, logs, data, and the one file that says where it is."""

import base64
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rapport_cli.failure import CliError
from rapport_cli.stack import pginstall

_FALLBACK = Path("/var/lib/rapport")
"""Where root keeps PostgreSQL's data when its user may not enter the state directory."""


class StateDirInUseError(CliError):
    code = "RPT-S003"
    exit_code = 3

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"Another stack runs in {directory}.",
            "Stop it first, or choose another --state-dir (and --base-port).",
        )


class OtherBrokerError(CliError):
    code = "RPT-S006"
    exit_code = 3

    def __init__(self, directory: Path, kept: str, wanted: str) -> None:
        super().__init__(
            f"What {directory} holds came from the broker `{kept}`; with `{wanted}` it would be"
            " lost.",
            f"Use `--broker {kept}`, or another --state-dir.",
        )


class StateDir:
    """One folder, one stack."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.logs = self.root / "logs"
        self.spool = self.root / "spool"
        self.kafka = self.root / "kafka"
        self.messages = self.root / "messages"
        self.stack_file = self.root / "stack.json"
        self.keys_file = self.root / "keys.json"
        self.master_key_file = self.root / "secrets" / "master.key"
        self.messages_file = self.messages / "sent.jsonl"
        self._kind_file = self.root / "broker"

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Makes the folders and keeps other stacks out; raises StateDirInUseError."""
        # Others may pass through but not look: as root, PostgreSQL runs as another user.
        self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
        secret = self.root / "secrets"
        for private in (self.logs, self.spool, self.kafka, self.messages, secret):
            private.mkdir(mode=0o700, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StateDirInUseError(self.root) from None
            self.stack_file.unlink(missing_ok=True)
            try:
                yield
            finally:
                self.stack_file.unlink(missing_ok=True)

    def choose_broker(self, wanted: str) -> tuple[str, bool]:
        """Which broker to use, and whether the data in here belongs to a log that is gone.

        Raises OtherBrokerError rather than leaving a log that is kept.
        """
        before = self._kind_file.read_text().strip() if self._kind_file.exists() else None
        choice = (before or "embedded") if wanted == "auto" else wanted
        if before not in {None, "embedded", choice}:
            raise OtherBrokerError(self.root, before or "", choice)
        return choice, "embedded" in {before, choice}

    def keep_broker(self, choice: str, *, fresh: bool) -> None:
        """Remembers the broker once the databases fit it."""
        if fresh:
            for folder in (self.spool, self.messages):
                shutil.rmtree(folder)
                folder.mkdir(mode=0o700)
        self._kind_file.write_text(choice)

    @property
    def postgres(self) -> Path:
        """The folder of the PostgreSQL server, one that its user may enter."""
        note = self.root / "postgres.location"
        if note.exists():
            return Path(note.read_text().strip())
        inside = self.root / "postgres"
        if pginstall.reachable(self.root, pginstall.server_account(inside)):
            return inside
        outside = _FALLBACK / f"postgres-{secrets.token_hex(8)}"
        _FALLBACK.mkdir(parents=True, exist_ok=True)
        note.write_text(str(outside))
        return outside

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """A secret that is made once and then stays the same."""
        file = self.root / "secrets" / name
        if not file.exists():
            write_private(file, make())
        return file.read_text()

    def publish(self, stack: Mapping[str, Any]) -> None:
        """Writes `stack.json`: whole or not at all, for the owner's eyes only."""
        write_private(self.stack_file, json.dumps(stack, indent=2) + "\n")


def new_master_key() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def new_password() -> str:
    return secrets.token_urlsafe(24)


def write_private(file: Path, text: str) -> None:
    """Replaces a file at once; nobody else may read it at any moment."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)

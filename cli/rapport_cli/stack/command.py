"""Runs a command of a service against a stack that runs, as the service itself would."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rapport_cli.stack.services import ALL_SERVICES, KEYRING_DATABASE, Service
from rapport_cli.stack.statedir import StateDir
from rapport_cli.stackfile import NotInStackError, read_stack

Line = dict[str, Any]


class Running:
    """The command; to be iterated once, for the objects that it prints, a line each."""

    def __init__(self, stack_file: Path, name: str, words: Sequence[str]) -> None:
        """Raises NoStackError, NotInStackError."""
        service = _service(stack_file, name)
        self._argv = [sys.executable, "-m", service.package, *words]
        self._environment = {**os.environ, **_environment(stack_file, service)}
        self.status: int | None = None
        """How it ended, once it has."""

    def __iter__(self) -> Iterator[Line]:
        with subprocess.Popen(  # noqa: S603 - our own service
            self._argv, env=self._environment, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None  # noqa: S101 - asked for above
            for line in process.stdout:
                yield json.loads(line)
        self.status = process.returncode


def _service(stack_file: Path, name: str) -> Service:
    for service in ALL_SERVICES:
        if service.name == name and service.exists:
            return service
    raise NotInStackError(name, stack_file)


def _environment(stack_file: Path, service: Service) -> dict[str, str]:
    """What a command needs of the environment that `rapport up` gives the service."""
    stack, state = read_stack(stack_file), StateDir(stack_file.parent)
    try:
        database, keyring = (stack["databases"][it] for it in (service.database, KEYRING_DATABASE))
    except KeyError:
        raise NotInStackError(service.database, stack_file) from None
    return {
        "RAPPORT_KAFKA__BOOTSTRAP": stack["kafka"],
        "RAPPORT_DATABASE__URL": database,
        "RAPPORT_KEYRING__URL": keyring,
        "RAPPORT_KEYRING__MASTER_KEY_FILE": str(state.master_key_file),
        "RAPPORT_KEYS_FILE": str(state.keys_file),
        "RAPPORT_LOG__FORMAT": "console",
        "RAPPORT_LOG__LEVEL": "error",
    }

"""The ports of a stack, looked at before anything is started."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from rapport_cli.failure import CliError

SPAN = 10
"""Base ports this far apart do not collide."""

_LAST_BASE = 65_000


class PortBusyError(CliError):
    code = "RPT-S004"
    exit_code = 3

    def __init__(self, port: int, role: str, free_base: int | None) -> None:
        advice = "" if free_base is None else f" --base-port {free_base} is free."
        super().__init__(
            f"Port {port}, where {role} would listen, is taken by another program.",
            f"Stop that program, or choose another --base-port.{advice}",
        )


class NoPortsError(CliError):
    code = "RPT-S009"
    exit_code = 3

    def __init__(self, first: int) -> None:
        super().__init__(
            f"There are no {SPAN} free ports in a row from {first} on.", "Name a --base-port."
        )


def require_free(base_port: int, roles: Mapping[int, str]) -> None:
    """`roles` by offset from the base port. Raises PortBusyError."""
    for offset, role in roles.items():
        if not _is_free(base_port + offset):
            raise PortBusyError(base_port + offset, role, _free_base(base_port, roles))


@contextmanager
def claimed_base(first: int, offsets: Iterable[int]) -> Iterator[int]:
    """The first base port from `first` on that is free with all that goes with it.

    The port itself is held, so that whoever looks at the same time takes the next one.
    """
    wanted = tuple(offsets)
    for base in range(first, _LAST_BASE, SPAN):
        with socket.socket() as claim:
            try:
                claim.bind(("127.0.0.1", base))
            except OSError:
                continue
            if all(_is_free(base + offset) for offset in wanted):
                yield base
                return
    raise NoPortsError(first)


def _free_base(taken: int, roles: Mapping[int, str]) -> int | None:
    for base in range(taken + SPAN, min(taken + 20 * SPAN, _LAST_BASE), SPAN):
        if all(_is_free(base + offset) for offset in roles):
            return base
    return None


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        # A connection that is just being closed is no obstacle for a server.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

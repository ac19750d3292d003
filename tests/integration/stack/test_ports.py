"""Which ports a stack takes when nobody named any."""

import socket
from contextlib import closing

from rapport_cli.stack.ports import SPAN, claimed_base

FIRST = 23_700


def test_two_stacks_that_start_together_take_other_ports() -> None:
    with claimed_base(FIRST, [1, 2]) as mine, claimed_base(FIRST, [1, 2]) as theirs:
        assert theirs >= mine + SPAN


def test_a_port_that_a_service_needs_and_somebody_has_moves_the_whole_stack() -> None:
    with claimed_base(FIRST, [1, 2]) as base:
        pass
    taken = closing(socket.create_server(("127.0.0.1", base + 2)))

    with taken, claimed_base(base, [1, 2]) as found:
        assert found > base


def test_ports_are_free_again_afterwards() -> None:
    with claimed_base(FIRST, [1]) as before:
        pass

    with claimed_base(FIRST, [1]) as after:
        assert after == before

"""Named places where a test may kill the process; they do nothing unless armed."""

import os
import random
import signal

_armed: dict[str, float] = {}


def arm(spec: str) -> None:
    """Arm failpoints by `name:probability,name2:probability` (`Settings.failpoints`).

    Raises ValueError when the text has another form.
    """
    _armed.clear()
    for entry in filter(None, spec.split(",")):
        name, _, probability = entry.partition(":")
        _armed[name.strip()] = float(probability)


def failpoint(name: str) -> None:
    """Die here, as by `kill -9`, with the probability that was armed for this name."""
    if _armed and random.random() < _armed.get(name, 0.0):  # noqa: S311 - no secret
        os.kill(os.getpid(), signal.SIGKILL)

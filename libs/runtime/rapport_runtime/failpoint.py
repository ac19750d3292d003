"""Named places where a test may kill or pause the process; they do nothing unless armed."""

import os
import random
import signal

_armed: dict[str, tuple[float, signal.Signals]] = {}


def arm(spec: str) -> None:
    """Arm failpoints by `name:probability[:signal]`, separated by commas (`Settings.failpoints`).

    The signal is `KILL` unless another is named: `before_begin:0.2:STOP`. Raises ValueError when
    the text has another form.
    """
    _armed.clear()
    for entry in filter(None, spec.split(",")):
        name, _, rest = entry.partition(":")
        probability, _, signal_name = rest.partition(":")
        try:
            number = signal.Signals[f"SIG{signal_name or 'KILL'}"]
        except KeyError:
            message = f"failpoint {name.strip()!r}: there is no signal {signal_name!r}"
            raise ValueError(message) from None
        _armed[name.strip()] = float(probability), number


def failpoint(name: str) -> None:
    """Get the armed signal here, with the probability that was armed for this name."""
    if not _armed:
        return
    probability, number = _armed.get(name, (0.0, signal.SIGKILL))
    if random.random() < probability:  # noqa: S311 - no secret
        os.kill(os.getpid(), number)

"""How much to take at once, and how long to wait after a failure."""

import random
from typing import Final

_SHORTEST_WAIT: Final = 0.05
_LONGEST_WAIT: Final = 5.0
_SMALLEST_BATCH: Final = 100
_LONG_BATCH: Final = 5.0


class Pace:
    """Halves the batch and doubles the wait with each failure in a row."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._failures = 0
        self.most = batch
        """Most events of the next batch."""

    def applied(self, seconds: float) -> None:
        """A batch went through in that time: back to full speed, step by step.

        Unless it took so long that a larger one would look like a worker that stands still.
        """
        self._failures = 0
        if seconds > _LONG_BATCH:
            self._shrink()
        else:
            self.most = min(self.most * 2, self._batch)

    def failed(self) -> float:
        """A batch was rolled back; the seconds to wait before the next try, with jitter.

        A batch that takes longer than `statement_timeout` must be made smaller to ever pass.
        """
        self._shrink()
        wait = min(_LONGEST_WAIT, _SHORTEST_WAIT * 2.0**self._failures)
        self._failures = min(self._failures + 1, 30)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - jitter

    def _shrink(self) -> None:
        self.most = max(self.most // 2, min(_SMALLEST_BATCH, self.most))

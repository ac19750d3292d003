"""How far the playing is: a bar on a terminal, a few lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINES = 4


@contextmanager
def shown_progress(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    """Yields what has to be told of each step."""
    if not console.is_terminal:
        yield _told_in_lines(console, total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Playing the traffic", total=total)
        yield lambda steps: progress.advance(task, steps)


def _told_in_lines(console: Console, total: int) -> Callable[[int], None]:
    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        before, done = done * _LINES // total, done + steps
        if done * _LINES // total > before:
            console.print(f"{done:,} of {total:,} events sent.", highlight=False)

    return advance

"""The demo from the first process to the last: a stack, the show in it, and silence."""

import asyncio
import time

from rich.console import Console

from rapport_cli.demo.show import Wish, check, show, tell_tour
from rapport_cli.output import say
from rapport_cli.stack.statedir import StateDir
from rapport_cli.stack.up import Plan, Stack, running_stack


async def run(plan: Plan, wish: Wish, checked: asyncio.Event | None) -> None:
    """Until cancelled; with `checked` until the checks are over, and it is set if all is well.

    Raises what is wrong as a CliError.
    """
    began = time.monotonic()
    try:
        async with running_stack(plan, say) as stack:
            say(f"Everything runs, after {time.monotonic() - began:.1f} s.")
            if checked is None:
                await _show_around(plan, wish, stack)
            else:
                await _check(plan, wish, stack)
                checked.set()
    finally:
        say("Everything is stopped.")


async def _show_around(plan: Plan, wish: Wish, stack: Stack) -> None:
    state = StateDir(plan.state_dir)
    shown = await show(wish, stack.description, state.keys_file, Console(stderr=True))
    tell_tour(shown, stack.description, state.stack_file, Console())
    say("\nIt stays up until Ctrl-C.")
    await asyncio.Event().wait()


async def _check(plan: Plan, wish: Wish, stack: Stack) -> None:
    keys_file = StateDir(plan.state_dir).keys_file
    shown = await show(wish, stack.description, keys_file, Console(stderr=True))
    Console().print(check(shown), highlight=False, soft_wrap=True)

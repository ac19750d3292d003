"""The command `rapport`."""

import sys

import typer

from rapport_cli.commands import config, keys, parked, quarantine, topics
from rapport_cli.commands.demo import demo
from rapport_cli.commands.doctor import doctor
from rapport_cli.commands.env import env
from rapport_cli.commands.projection import rebuild, verify
from rapport_cli.commands.up import up
from rapport_cli.failure import CliError

app = typer.Typer(
    help="Start, inspect and prove a Rapport.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up)
app.command()(demo)
app.command()(doctor)
app.command()(env)
app.command()(rebuild)
app.command()(verify)
app.add_typer(topics.app, name="topics")
app.add_typer(keys.app, name="keys")
app.add_typer(parked.app, name="parked")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(config.app, name="config")


@app.callback()
def rapport() -> None:
    """Start, inspect and prove a Rapport."""


def main() -> None:
    """Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 unreachable."""
    try:
        app()
    except CliError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)

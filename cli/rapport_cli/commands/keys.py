"""`rapport keys`: who may use the services, and for what."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rapport_runtime.http.keyfile import (
    KeyRefusedError,
    KeysFileError,
    StoredKey,
    add_key,
    read_keys,
    revoke_key,
)

from rapport_cli.failure import CliError
from rapport_cli.output import AsJson, say, show, show_json
from rapport_cli.stack.accesskeys import ROLES, take_over
from rapport_cli.stackfile import DEFAULT_STATE_DIR

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

_KeysFile = Annotated[
    Path, typer.Option("--keys-file", envvar="RAPPORT_KEYS_FILE", help="The services' keys file.")
]
_DEFAULT_KEYS_FILE = DEFAULT_STATE_DIR / "keys.json"


class NoKeysFileError(CliError):
    code = "RPT-C001"
    exit_code = 3

    def __init__(self, reason: KeysFileError) -> None:
        super().__init__(
            f"The keys cannot be read: {reason}.",
            "Name the services' file with --keys-file or RAPPORT_KEYS_FILE.",
        )


class KeyNotTakenError(CliError):
    code = "RPT-C002"

    def __init__(self, reason: KeyRefusedError) -> None:
        super().__init__(f"Nothing was changed: {reason}.", "`rapport keys list` shows all keys.")


class NoKeyForRoleError(CliError):
    code = "RPT-C003"
    exit_code = 3

    def __init__(self, role: str) -> None:
        super().__init__(
            f"There is no key to import for `{role}`.",
            f"The roles are {', '.join(ROLES)}; set RAPPORT_KEY_<ROLE> for each that you name.",
        )


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who gets it; at most two live keys each.")],
    scope: Annotated[list[str], typer.Option(help="What it allows; may be given again.")],
    keys_file: _KeysFile = _DEFAULT_KEYS_FILE,
    source: Annotated[str | None, typer.Option(help="`source` of its events.")] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="A web page's origin that may use it.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="How long it is valid.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once.

    Example: rapport keys add shop --scope events:write

    Example: rapport keys add desk --scope profile:read --scope profile:pii --days 90
    """
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    try:
        key, stored = add_key(
            keys_file, name, scope, source=source, origins=origin or (), expires=expires
        )
    except KeyRefusedError as error:
        raise KeyNotTakenError(error) from error
    except KeysFileError as error:
        raise NoKeysFileError(error) from error
    if as_json:
        show_json({"key": key, **_row(stored)})
    else:
        typer.echo(key)
    say("Keep it now: only its hash is stored. Services know it within two seconds.")


@app.command("list")
def list_keys(keys_file: _KeysFile = _DEFAULT_KEYS_FILE, *, as_json: AsJson = False) -> None:
    """List all keys, without what is secret in them.

    Example: rapport keys list

    Example: rapport keys list --json
    """
    try:
        keys = read_keys(keys_file).keys
    except KeysFileError as error:
        raise NoKeysFileError(error) from error
    rows = [_row(key) for key in keys]
    show(rows, ("id", "name", "state", "scopes", "origins", "created", "expires"), as_json=as_json)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id that `rapport keys list` shows.")],
    keys_file: _KeysFile = _DEFAULT_KEYS_FILE,
) -> None:
    """End a key for ever; services follow within two seconds.

    Example: rapport keys revoke 3f9k2m1x

    Example: rapport keys revoke 3f9k2m1x --keys-file /etc/rapport/keys.json
    """
    try:
        revoke_key(keys_file, key_id)
    except KeyRefusedError as error:
        raise KeyNotTakenError(error) from error
    except KeysFileError as error:
        raise NoKeysFileError(error) from error
    say(f"The key {key_id} is revoked.")


@app.command("import")
def import_keys(
    roles: Annotated[list[str], typer.Argument(help="publisher, agent, ops.")],
    keys_file: _KeysFile = _DEFAULT_KEYS_FILE,
) -> None:
    """Take the keys of standard roles from RAPPORT_KEY_<ROLE>; nothing changes the second time.

    Example: RAPPORT_KEY_OPS=… rapport keys import ops

    Example: rapport keys import publisher agent ops --keys-file /etc/rapport/keys.json
    """
    for role in roles:
        key = os.environ.get(f"RAPPORT_KEY_{role.upper()}")
        if role not in ROLES or not key:
            raise NoKeyForRoleError(role)
        try:
            taken = take_over(keys_file, role, key)
        except KeyRefusedError as error:
            raise KeyNotTakenError(error) from error
        say(f"The key of {role} {'is taken over' if taken else 'was there'}.")


def _row(key: StoredKey) -> dict[str, str | None]:
    state = "live" if key.live(datetime.now(UTC)) else "revoked" if key.revoked else "expired"
    return {
        "id": key.id,
        "name": key.name,
        "state": state,
        "scopes": " ".join(key.scopes),
        "origins": " ".join(key.origins),
        "source": key.source,
        "created": f"{key.created:%Y-%m-%d %H:%M}",
        "expires": None if key.expires is None else f"{key.expires:%Y-%m-%d}",
    }

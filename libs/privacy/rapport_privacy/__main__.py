"""`python -m rapport_privacy …`: the keyring's upkeep, by hand or by a timer.

Reads RAPPORT_KEYRING__URL and RAPPORT_KEYRING__MASTER_KEY (or …_MASTER_KEY_FILE).
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from rapport_privacy.crypto import InvalidMasterKeyError, TamperedError
from rapport_privacy.database import KeyringUnavailableError, OutdatedKeyringError
from rapport_privacy.identifiers import InvalidIdentifierError, normalise
from rapport_privacy.keyring import Keyring, WrongMasterKeyError
from rapport_privacy.ledger_lines import from_line, to_line
from rapport_privacy.master import MasterKey
from rapport_privacy.opening import rotate_master_key

_URL: Final = "RAPPORT_KEYRING__URL"
_KEY: Final = "RAPPORT_KEYRING__MASTER_KEY"

_REFUSALS: Final = (
    InvalidIdentifierError,
    InvalidMasterKeyError,
    KeyringUnavailableError,
    OutdatedKeyringError,
    TamperedError,
    ValueError,
    WrongMasterKeyError,
)
"""What is told in a sentence instead of a stack trace."""

Work = Callable[[Keyring, argparse.Namespace], Awaitable[object]]


async def _head(keyring: Keyring, _: argparse.Namespace) -> str:
    return str(await keyring.ledger_head())


async def _export(keyring: Keyring, given: argparse.Namespace) -> str | None:
    entries = await keyring.export_ledger(after=given.after)
    return "\n".join(map(to_line, entries)) or None


async def _reapply(keyring: Keyring, _: argparse.Namespace) -> Mapping[str, object]:
    entries = [from_line(line) for line in sys.stdin if line.strip()]
    done = await keyring.reapply_ledger(entries)
    head = await keyring.ledger_head()
    return {
        "entries": done.entries,
        "keys_destroyed": done.keys_destroyed,
        "aliases": done.aliases,
        "head": str(head),
    }


async def _lift(keyring: Keyring, given: argparse.Namespace) -> Mapping[str, object]:
    # From standard input: an argument stands in the list of processes.
    value = normalise(given.kind, sys.stdin.read().strip())
    done = await keyring.lift({given.kind: value}, certificate_id=given.certificate)
    return {"certificate_id": done.certificate_id, "suppressions": done.suppressions}


async def _expire(keyring: Keyring, given: argparse.Namespace) -> Mapping[str, object]:
    done = await keyring.expire_months(before=given.before)
    return {"certificate_id": done.certificate_id, "months": done.months}


async def _vacuum(keyring: Keyring, _: argparse.Namespace) -> None:
    await keyring.vacuum()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rapport_privacy", description=__doc__)
    commands = parser.add_subparsers(required=True)
    ledger = commands.add_parser("ledger", help="the ledger of erasures")
    parts = ledger.add_subparsers(required=True)
    parts.add_parser("head", help="how far it goes, for the head file").set_defaults(work=_head)
    export = parts.add_parser("export", help="as JSON lines, for the copy outside")
    export.add_argument("--after", type=int, default=0, help="number of the copy's last entry")
    export.set_defaults(work=_export)
    reapply = parts.add_parser("reapply", help="erase again what a copy on standard input says")
    reapply.set_defaults(work=_reapply)
    lift = commands.add_parser("lift", help="end the suppression of an identifier (on stdin)")
    lift.add_argument("kind", help="email, phone, user_id …")
    lift.add_argument("--certificate", required=True, help="under which the ledger has it")
    lift.set_defaults(work=_lift)
    expire = commands.add_parser("expire-months", help="destroy the keys of old months")
    expire.add_argument("--before", required=True, help="YYYY-MM; this one stays")
    expire.set_defaults(work=_expire)
    vacuum = commands.add_parser("vacuum", help="take destroyed keys off the disk")
    vacuum.set_defaults(work=_vacuum)
    rotate = commands.add_parser("rotate-master", help="seal the root key under a new master key")
    rotate.add_argument("--new-key-file", type=Path, required=True)
    rotate.set_defaults(work=None)
    return parser


def _master(environment: Mapping[str, str]) -> MasterKey:
    if path := environment.get(f"{_KEY}_FILE"):
        return MasterKey.from_file(Path(path))
    return MasterKey.from_base64(environment.get(_KEY, ""))


async def _run(given: argparse.Namespace, environment: Mapping[str, str]) -> object:
    if _URL not in environment:
        raise ValueError(f"set {_URL} to the keyring's database")
    url, master = environment[_URL], _master(environment)
    if given.work is None:
        await rotate_master_key(url, master, MasterKey.from_file(given.new_key_file))
        return None
    keyring = await Keyring.open(url, master)
    try:
        result: object = await given.work(keyring, given)
    finally:
        await keyring.close()
    return result


def run_command() -> int:
    """0 done, 1 refused: then standard error says why."""
    given = _parser().parse_args()
    try:
        result = asyncio.run(_run(given, os.environ))
    except _REFUSALS as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if result is not None:
        text = result if isinstance(result, str) else json.dumps(result)
        sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(run_command())

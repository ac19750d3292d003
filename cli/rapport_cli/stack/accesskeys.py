"""The three API keys of a local stack: made once, shown in `stack.json`."""

from collections.abc import Mapping
from pathlib import Path

from rapport_runtime.http.keyfile import SCOPES, add_key, hashed, read_keys

from rapport_cli.stack.statedir import StateDir, write_private

_SCOPES: Mapping[str, tuple[str, ...]] = {
    "publisher": ("events:write",),
    "agent": ("events:write", "profile:read", "profile:pii", "notes:write"),
    "ops": tuple(sorted(SCOPES)),
}


def stack_keys(state: StateDir) -> dict[str, str]:
    """The key of each role, the same as last time unless it was revoked."""
    return {role: _stack_key(state, role) for role in _SCOPES}


def _stack_key(state: StateDir, role: str) -> str:
    file: Path = state.root / "secrets" / f"{role}.key"
    if file.exists() and hashed(file.read_text()) in _live_hashes(state.keys_file):
        return file.read_text()
    key, _ = add_key(state.keys_file, role, _SCOPES[role])
    write_private(file, key)
    return key


def _live_hashes(keys_file: Path) -> set[str]:
    if not keys_file.exists():
        return set()
    return {key.sha256 for key in read_keys(keys_file).keys if key.revoked is None}

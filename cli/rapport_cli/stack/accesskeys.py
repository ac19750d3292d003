"""The API keys of the three roles: publisher, agent frontend, operations."""

from collections.abc import Mapping
from pathlib import Path

from rapport_runtime.http.keyfile import SCOPES, add_key, hashed, import_key, read_keys

from rapport_cli.stack.statedir import StateDir, write_private

ROLES: Mapping[str, tuple[str, ...]] = {
    "publisher": ("events:write",),
    "agent": ("profile:read", "profile:pii", "notes:write"),
    "ops": tuple(sorted(SCOPES)),
}


def take_over(keys_file: Path, role: str, key: str) -> bool:
    """Lets a key that was made elsewhere in, once; False when it already is. KeyRefusedError."""
    if hashed(key) in _live_hashes(keys_file):
        return False
    import_key(keys_file, key, role, ROLES[role])
    return True


def stack_keys(state: StateDir) -> dict[str, str]:
    """The key of each role, the same as last time unless it was revoked."""
    return {role: _stack_key(state, role) for role in ROLES}


def _stack_key(state: StateDir, role: str) -> str:
    file: Path = state.root / "secrets" / f"{role}.key"
    if file.exists() and hashed(file.read_text()) in _live_hashes(state.keys_file):
        return file.read_text()
    key, _ = add_key(state.keys_file, role, ROLES[role])
    write_private(file, key)
    return key


def _live_hashes(keys_file: Path) -> set[str]:
    if not keys_file.exists():
        return set()
    return {key.sha256 for key in read_keys(keys_file).keys if key.revoked is None}

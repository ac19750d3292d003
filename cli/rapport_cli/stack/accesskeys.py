"""The API keys of the three roles: publisher, agent frontend, operations."""

from collections.abc import Mapping
from pathlib import Path

from rapport_runtime.http.keyfile import (
    SCOPES,
    StoredKey,
    add_key,
    hashed,
    import_key,
    read_keys,
    widen_key,
)

from rapport_cli.stack.statedir import StateDir, write_private

ROLES: Mapping[str, tuple[str, ...]] = {
    "publisher": ("events:write",),
    "agent": (
        "profile:read",
        "profile:pii",
        "notes:write",
        "feedback:read",
        "feedback:write",
        "rules:read",
    ),
    "ops": tuple(sorted(SCOPES)),
}


def take_over(keys_file: Path, role: str, key: str) -> bool:
    """Lets a key that was made elsewhere in, once; False when it already is. KeyRefusedError."""
    if _is_live(keys_file, role, key):
        return False
    import_key(keys_file, key, role, ROLES[role])
    return True


def stack_keys(state: StateDir) -> dict[str, str]:
    """The key of each role, the same as last time unless it was revoked."""
    return {role: _stack_key(state, role) for role in ROLES}


def _stack_key(state: StateDir, role: str) -> str:
    file: Path = state.root / "secrets" / f"{role}.key"
    if file.exists() and _is_live(state.keys_file, role, file.read_text()):
        return file.read_text()
    key, _ = add_key(state.keys_file, role, ROLES[role])
    write_private(file, key)
    return key


def _is_live(keys_file: Path, role: str, key: str) -> bool:
    """One that was made when its role could do less may do now what the role can."""
    known = _live_keys(keys_file).get(hashed(key))
    if known is not None and not set(ROLES[role]) <= set(known.scopes):
        widen_key(keys_file, known.id, ROLES[role])
    return known is not None


def _live_keys(keys_file: Path) -> dict[str, StoredKey]:
    if not keys_file.exists():
        return {}
    return {key.sha256: key for key in read_keys(keys_file).keys if key.revoked is None}

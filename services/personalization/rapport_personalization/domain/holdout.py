"""Who is left out, so that one can see what a trigger brings (kpis.md 6.4)."""

from hashlib import sha256
from typing import Final

GLOBAL: Final = "global"
BASIS: Final = 10_000
"""Shares are in basis points."""


def bucket(tenant: str, scope: str, person: str) -> int:
    """The same place in 0..9999 for ever, another one in every scope."""
    digest = sha256(f"{tenant}:{scope}:{person}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BASIS


def is_control(tenant: str, scope: str, person: str, share: int) -> bool:
    return bucket(tenant, scope, person) < share


def of_trigger(trigger: str) -> str:
    return f"trigger:{trigger}"


def decision_id(tenant: str, trigger: str, person: str, anchor: str) -> str:
    """At most one decision is ever taken under an id, so that nothing is sent twice."""
    return decision_key(tenant, trigger, person, anchor).hex()


def decision_key(tenant: str, trigger: str, person: str, anchor: str) -> bytes:
    """The same as it is kept."""
    return sha256(f"{tenant}|{trigger}|{person}|{anchor}".encode()).digest()

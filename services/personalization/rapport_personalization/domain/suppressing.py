"""Whom we do not write to whatever they allow: as it stands, and what changes it."""

from datetime import datetime
from typing import Any, Final

from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.preferences import SUPPRESSED, Fact

_NOTHING: Final = ""


def suppress(
    customer: Customer, now: datetime, scope: str, until: datetime | None, reason: str | None
) -> list[Fact]:
    """Nothing where it is so already."""
    known = customer.suppressed
    if (
        known is not None
        and (known.scope, known.until) == (scope, until)
        and not known.is_over(now)
    ):
        return []
    data: dict[str, Any] = {"scope": scope, "until": until, "reason": reason}
    clear = {name: value for name, value in data.items() if value is not None}
    said = f"{scope} {_NOTHING if until is None else until.isoformat()}"
    return [Fact("contact.suppressed.v1", clear, {SUPPRESSED: said})]


def resume(customer: Customer, now: datetime, reason: str | None) -> list[Fact]:
    """Nothing where nothing forbids it, or no more."""
    known = customer.suppressed
    if known is None or known.is_over(now):
        return []
    data = {} if reason is None else {"reason": reason}
    return [Fact("contact.resumed.v1", data, {SUPPRESSED: _NOTHING})]

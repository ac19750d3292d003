"""Offers: a code of one's own for each decision, and never more of them than there is money for."""

from base64 import b32encode
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
from rapport_privacy.keyring import Keyring
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.domain.decision import Decision
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.trigger import Offer, Trigger
from rapport_personalization.effects import Given, short
from rapport_personalization.rules import Version
from rapport_personalization.turns import Budgets

_PURPOSE: Final = "offer-code"
_LENGTH: Final = 12
"""Characters of a code: 60 bits, which nobody guesses who lacks the key."""

_ISSUED: Final = """
SELECT trigger, version::text, issued FROM trigger_version
WHERE (trigger, version::text) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY trigger, version FOR UPDATE
"""

_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtext('rapport.offers'))"

_LATELY: Final = """
SELECT count(*) FROM (SELECT FROM offer WHERE issued_at > $1 LIMIT $2) AS lately
"""

_A_MONTH: Final = timedelta(days=30)

_SPEND: Final = """
UPDATE trigger_version AS known SET issued = known.issued + new.count
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS new (trigger, version, count)
WHERE known.trigger = new.trigger AND known.version::text = new.version
"""

_ADD: Final = """
INSERT INTO offer (offer, code, decision, trigger, version, subject_id, kind, value, currency,
    issued_at, expires_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[],
    $6::text[]::uuid[], $7::text[], $8::bigint[], $9::text[], $10::timestamptz[],
    $11::timestamptz[])
"""


async def lock_budgets(
    tx: AsyncConnection, triggers: Collection[Trigger], policies: Policies, now: datetime
) -> Budgets:
    """What is left, for this transaction alone until it ends: one spends at a time."""
    offers = {(one.id, one.version): one.offer for one in triggers if one.offer is not None}
    if not offers:
        return Budgets()
    connection = await driver(tx)
    overall = await _overall(connection, policies.offers_a_month, now)
    limits = {version: one.budget for version, one in offers.items() if one.budget is not None}
    if not limits:
        return Budgets(overall=overall)
    rows = await connection.fetch(_ISSUED, *map(list, zip(*sorted(limits), strict=True)))
    return Budgets({(row[0], row[1]): limits[row[0], row[1]] - row[2] for row in rows}, overall)


async def _overall(
    connection: "asyncpg.Connection[Any]", limit: int | None, now: datetime
) -> int | None:
    """Of all triggers together. Locked before single budgets, so that nobody waits in a circle."""
    if limit is None:
        return None
    await connection.execute(_ALONE)
    issued: int = await connection.fetchval(_LATELY, now - _A_MONTH, limit)
    return limit - issued


def give(decision: Decision, offer: Offer, keyring: Keyring) -> Given:
    """The same code however often the decision is taken."""
    code = offer.code
    if code is None:
        mac = keyring.mac_local(_PURPOSE, decision.id.encode())
        code = b32encode(mac).decode()[:_LENGTH]
    expires = None if offer.expires is None else decision.send_at + offer.expires
    id_ = f"o-{short(decision)}"
    return Given(id_, code, offer.kind, offer.value, offer.currency, expires)


async def issue(tx: AsyncConnection, issued: Sequence[tuple[Decision, Given]]) -> None:
    """Remembers them, and what is left of the budgets; who is here has locked those."""
    if not issued:
        return
    connection = await driver(tx)
    counts: dict[Version, int] = {}
    for decision, _ in issued:
        version = (decision.trigger, decision.version)
        counts[version] = counts.get(version, 0) + 1
    spent = [(*version, count) for version, count in sorted(counts.items())]
    await connection.execute(_SPEND, *map(list, zip(*spent, strict=True)))
    rows = [
        (
            given.offer, given.code, bytes.fromhex(decision.id), decision.trigger,
            decision.version, decision.person, given.kind, given.value, given.currency,
            decision.send_at, given.expires,
        )
        for decision, given in issued
    ]  # fmt: skip
    await connection.execute(_ADD, *map(list, zip(*rows, strict=True)))

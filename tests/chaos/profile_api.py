"""The profile API as a process to be killed; answers too early when RAPPORT_SEEDED_BUG says so."""

import asyncio
import os
import sys
from collections.abc import Sequence

from rapport_profile import main
from rapport_profile.audit import AuditTrail, Read
from rapport_profile.settings import ProfileSettings
from rapport_runtime.pool import Pool
from rapport_runtime.serve import run


class HastyTrail(AuditTrail):
    """Lets the answer go and writes the row afterwards: what must never be done."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._later: set[asyncio.Task[None]] = set()

    async def record(self, reads: Sequence[Read]) -> None:
        self._later.add(asyncio.create_task(self._record_later(reads)))

    async def _record_later(self, reads: Sequence[Read]) -> None:
        # Long enough for a busy machine to have seen the answer before it dies.
        await asyncio.sleep(0.2)
        await super().record(reads)


if __name__ == "__main__":
    if os.environ.get("RAPPORT_SEEDED_BUG") == "audit_after_answer":
        vars(main)["AuditTrail"] = HastyTrail
    settings = ProfileSettings()
    sys.exit(run({"api": main.api_component(settings, main.make_resources(settings))}))

"""Ingest as a process to be killed; answers too early when RAPPORT_SEEDED_BUG says so."""

import asyncio
import os
import sys
from collections.abc import Sequence

from rapport_ingest import main
from rapport_ingest.settings import IngestSettings
from rapport_runtime.delivery import Outgoing, Placed
from rapport_runtime.failpoint import arm, failpoint
from rapport_runtime.logs import configure_logs
from rapport_runtime.pending import Outcome
from rapport_runtime.producer import EventProducer
from rapport_runtime.serve import run

BUG = "answer_before_ack"


class HastyProducer(EventProducer):
    """Says that events are in the log, and puts them there afterwards: what must never be done."""

    _later: set[asyncio.Task[None]]

    async def publish(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        self._later = getattr(self, "_later", set())
        self._later.add(asyncio.create_task(self._publish_later(batch)))
        return [Placed(0, 0) for _ in batch]

    async def _publish_later(self, batch: Sequence[Outgoing]) -> None:
        await asyncio.sleep(0.02)
        failpoint("before_publish")
        await super().publish(batch)


if __name__ == "__main__":
    if os.environ.get("RAPPORT_SEEDED_BUG") == BUG:
        vars(main)["EventProducer"] = HastyProducer
    settings = IngestSettings()
    configure_logs(settings.log)
    arm(settings.failpoints)
    sys.exit(run({"api": main.api_component(main.Premises(settings))}))

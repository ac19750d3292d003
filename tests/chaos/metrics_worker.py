"""Metrics workers to be killed, with mistakes planted when RAPPORT_SEEDED_BUG names one of them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from rapport_metrics import store
from rapport_metrics.consumer import subscription
from rapport_runtime.subscription import Subscription

from tests.support import toy_projector


def _read_states_without_locks() -> None:
    query: str = vars(store)["_LOCK"]
    vars(store)["_LOCK"] = query.replace("FOR UPDATE", "")


BUGS: Mapping[str, Callable[[], None]] = {"unlocked": _read_states_without_locks}
"""Beside those of the loop, which the nursery plants itself."""


def metrics() -> Subscription:
    """The projection, on topics of the test's own."""
    bug = os.environ.get("METRICS_BUG", "")
    if bug:
        BUGS[bug]()
    topics = tuple(os.environ["TOY_TOPIC"].split(","))
    return replace(subscription(), name=os.environ["TOY_NAME"], topics=topics)


if __name__ == "__main__":
    toy_projector.main(metrics)

"""The consume loop: how events of a topic change a service's tables exactly once."""

from rapport_runtime.contract import (
    Apply,
    DataError,
    Decode,
    Derived,
    Fresh,
    HaltedError,
    Resources,
    Sifted,
    Subscription,
)
from rapport_runtime.parked import TooManyParkedError
from rapport_runtime.subscription.claim import LostEventsError, PartitionCountError, WrongLogError
from rapport_runtime.subscription.loop import run_subscription
from rapport_runtime.subscription.redrive import redrive

__all__ = [
    "Apply",
    "DataError",
    "Decode",
    "Derived",
    "Fresh",
    "HaltedError",
    "LostEventsError",
    "PartitionCountError",
    "Resources",
    "Sifted",
    "Subscription",
    "TooManyParkedError",
    "WrongLogError",
    "redrive",
    "run_subscription",
]

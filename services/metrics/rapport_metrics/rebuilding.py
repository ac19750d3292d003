"""`rebuild` and `verify` of the KPIs, as commands."""

from collections.abc import Sequence
from typing import Final

from rapport_runtime.rebuild import command

from rapport_metrics.projection import projection
from rapport_metrics.settings import MetricsSettings

_PACKAGE: Final = "rapport_metrics"


def rebuild_command(settings: MetricsSettings, arguments: Sequence[str]) -> int:
    return command.rebuild_command(_PACKAGE, settings, projection(settings), arguments)


def verify_command(settings: MetricsSettings, arguments: Sequence[str]) -> int:
    return command.verify_command(_PACKAGE, settings, projection(settings), arguments)

"""What may differ between two deployments of the metrics service."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from rapport_runtime.settings import HttpSettings, Section, Settings

from rapport_metrics.domain import calls
from rapport_metrics.domain.calls import CallSettings
from rapport_metrics.domain.instants import DAY
from rapport_metrics.domain.own import Options


class KpiSettings(Section):
    """Thresholds and windows of the definitions (kpis.md, section 0)."""

    short_abandon_seconds: int = Field(default=calls.DEFAULTS.short_abandon, ge=0)
    service_level_seconds: int = Field(default=calls.DEFAULTS.service_level, ge=0)
    repeat_contact_days: int = Field(default=7, ge=1, le=90)
    churn_window_days: int = Field(default=90, ge=1, le=730)
    erasure: Literal["retain", "purge"] = "retain"
    zone: str = Field(default="UTC", description="IANA zone of the reporting calendar")
    watch_seconds: float = Field(
        default=60.0, gt=0, description="how often days are published and targets looked at"
    )

    def churn_window(self) -> int:
        """Microseconds."""
        return self.churn_window_days * DAY


class MetricsSettings(Settings):
    """As all services. It holds no keys: nothing that it counts is personal."""

    http: HttpSettings = HttpSettings(port=8005)
    keys_file: Path
    kpi: KpiSettings = KpiSettings()

    def options(self) -> Options:
        return Options(
            calls=CallSettings(self.kpi.short_abandon_seconds, self.kpi.service_level_seconds),
            repeat_window=self.kpi.repeat_contact_days * DAY,
            purge_erased=self.kpi.erasure == "purge",
        )

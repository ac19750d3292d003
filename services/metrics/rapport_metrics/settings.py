"""What may differ between two deployments of the metrics service."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from rapport_runtime.settings import HttpSettings, Section, Settings, WorkerSettings

from rapport_metrics.business_hours import CalendarSettings, Seconds, targets_of
from rapport_metrics.domain import calls
from rapport_metrics.domain.calls import CallSettings
from rapport_metrics.domain.catalogue import CATALOGUE
from rapport_metrics.domain.instants import DAY
from rapport_metrics.domain.own import Options
from rapport_metrics.domain.service import ServiceSettings
from rapport_metrics.domain.surveys import SurveySettings
from rapport_metrics.windows import require_zone


class DefinitionSettings(Section):
    """What another version of a definition has different; the rest is as in force."""

    short_abandon_seconds: int = Field(default=calls.DEFAULTS.short_abandon, ge=0)
    service_level_seconds: int = Field(default=calls.DEFAULTS.service_level, ge=0)
    repeat_contact_days: int = Field(default=7, ge=1, le=90)
    calendar: CalendarSettings | None = None
    pause_while_pending: bool = False
    restart_when_reopened: bool = False
    resolve_without_pending: bool = False
    sla_first_reply_seconds: dict[str, Seconds] = Field(default={})
    sla_next_reply_seconds: dict[str, Seconds] = Field(default={})
    sla_resolution_seconds: dict[str, Seconds] = Field(default={})


DefinitionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*\.v[2-9][0-9]?$")]


class KpiSettings(Section):
    """Thresholds and windows of the definitions (kpis.md, section 0)."""

    short_abandon_seconds: int = Field(default=calls.DEFAULTS.short_abandon, ge=0)
    service_level_seconds: int = Field(default=calls.DEFAULTS.service_level, ge=0)
    repeat_contact_days: int = Field(default=7, ge=1, le=90)
    churn_window_days: int = Field(default=90, ge=1, le=730)
    erasure: Literal["retain", "purge"] = "retain"
    zone: Annotated[str, AfterValidator(require_zone)] = Field(
        default="UTC", description="IANA zone of the reporting calendar"
    )
    ces_question: Literal["agreement", "effort"] = Field(
        default="agreement", description="effort: the older one, 1 to 5, where less is better"
    )
    unsolvable_topics: list[str] = Field(
        default=[], description="what fcr_net leaves out; without any it counts nothing"
    )
    calendar: CalendarSettings | None = Field(
        default=None, description="business hours of replies and resolutions; absent: always"
    )
    pause_while_pending: bool = Field(
        default=False, description="resolution is not due while we wait for the customer"
    )
    restart_when_reopened: bool = Field(
        default=False, description="reopening begins the time for a resolution anew"
    )
    resolve_without_pending: bool = Field(
        default=False, description="times to resolution leave out when we wait for the customer"
    )
    sla_first_reply_seconds: dict[str, Seconds] = Field(
        default={}, description="by priority; those not named keep their default"
    )
    sla_next_reply_seconds: dict[str, Seconds] = Field(
        default={}, description="of replies after the first; none named: no such service level"
    )
    sla_resolution_seconds: dict[str, Seconds] = Field(default={})
    clv_margin: float = Field(
        default=1.0, gt=0, le=1, description="share of an amount that counts as predicted value"
    )
    watch_seconds: float = Field(
        default=60.0, gt=0, description="how often days are published and targets looked at"
    )

    definitions: dict[DefinitionName, DefinitionSettings] = Field(
        default={}, description="versions beside the ones in force, by name: fcr.v2"
    )

    def churn_window(self) -> int:
        """Microseconds."""
        return self.churn_window_days * DAY

    def service(self) -> ServiceSettings:
        return ServiceSettings(
            targets=targets_of(
                self.sla_first_reply_seconds,
                self.sla_resolution_seconds,
                self.sla_next_reply_seconds,
            ),
            calendar=None if self.calendar is None else self.calendar.calendar(),
            pause_while_pending=self.pause_while_pending,
            restart_when_reopened=self.restart_when_reopened,
            resolve_without_pending=self.resolve_without_pending,
        )


class MetricsWorkerSettings(WorkerSettings):
    """Totals are added up within a batch: a larger one writes fewer of them."""

    batch: int = Field(default=60_000, ge=1, le=100_000, description="most records a transaction")


class MetricsSettings(Settings):
    """As all services. It holds no keys: nothing that it counts is personal."""

    http: HttpSettings = HttpSettings(port=8005)
    worker: MetricsWorkerSettings = MetricsWorkerSettings()
    keys_file: Path
    kpi: KpiSettings = KpiSettings()

    def options(self) -> Options:
        return Options(
            calls=CallSettings(self.kpi.short_abandon_seconds, self.kpi.service_level_seconds),
            service=self.kpi.service(),
            surveys=SurveySettings(ces_is_effort=self.kpi.ces_question == "effort"),
            unsolvable_topics=frozenset(self.kpi.unsolvable_topics),
            repeat_window=self.kpi.repeat_contact_days * DAY,
            purge_erased=self.kpi.erasure == "purge",
        )

    def definitions(self) -> dict[str, Options]:
        """Of all versions beside the ones in force, by name; those of no KPI mean nothing."""
        named = (name for name in self.kpi.definitions if name.partition(".")[0] in CATALOGUE)
        return {name: self.options_of(name) for name in named}

    def options_of(self, definition: str) -> Options:
        """Those of a version beside the one in force. KeyError: there is none of this name."""
        other = self.kpi.definitions[definition]
        changed = {name: getattr(other, name) for name in other.model_fields_set}
        return self.model_copy(update={"kpi": self.kpi.model_copy(update=changed)}).options()

"""What may differ between two deployments of the personalization service."""

from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from rapport_events.envelope import Channel
from rapport_runtime.sender import SenderSettings
from rapport_runtime.settings import (
    HttpSettings,
    KafkaSettings,
    KeyringSettings,
    Section,
    Settings,
)

from rapport_personalization.domain.policies import DAY, DEFAULTS, Cap, Policies, QuietHours
from rapport_personalization.schemas.clock import ClockTime


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name} is no IANA time zone") from error
    return name


class PolicySettings(Section):
    """Whom every trigger leaves alone; policies that are set by API take its place."""

    zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC", description="IANA zone of people whose own is not known"
    )
    language: str = Field(default="en", description="of people whose own is not known")
    quiet_from: ClockTime = time(21)
    quiet_until: ClockTime = Field(
        default=time(8), description="equal to quiet_from: no quiet hours"
    )
    a_day: int = Field(default=1, ge=0, description="most marketing messages within 24 hours")
    a_week: int = Field(default=3, ge=0, description="most marketing messages within 7 days")
    offers_a_month: int | None = Field(
        default=None, ge=0, description="most offers in 30 days, over all triggers"
    )
    suppressed_channels: frozenset[Channel] = Field(
        default=frozenset(), description="on which nothing goes out at all"
    )
    bad_score_days: int = Field(default=14, ge=0, description="no marketing after a bad score")
    control: int = Field(
        default=200, ge=0, le=10_000, description="basis points that get no marketing at all"
    )
    leap_birthday: Literal["02-28", "03-01"] = Field(
        default="02-28", description="when somebody born on 29 February is congratulated"
    )

    def policies(self, version: str, tenant: str, too_late_hours: int) -> Policies:
        """As the gates ask them."""
        return Policies(
            version=version,
            tenant=tenant,
            tz=self.zone,
            language=self.language,
            quiet_hours=QuietHours(self.quiet_from, self.quiet_until),
            caps=(Cap(self.a_day, DAY), Cap(self.a_week, 7 * DAY)),
            bad_scores=DEFAULTS.bad_scores._replace(within=self.bad_score_days * DAY),
            global_holdout=self.control,
            offers_a_month=self.offers_a_month,
            suppressed_channels=frozenset(self.suppressed_channels),
            too_late=timedelta(hours=too_late_hours),
            is_born_late=self.leap_birthday == "03-01",
        )


class UnhurriedKafkaSettings(KafkaSettings):
    """A message may be decided upon a twentieth of a second later, and the worker be at rest."""

    fetch_max_wait_ms: int = Field(default=50, ge=1, le=500)


class DecidingSettings(Section):
    """When due candidates are decided."""

    every_seconds: float = Field(default=0.05, gt=0, le=60)
    batch: int = Field(default=500, ge=1, le=10_000, description="most candidates a transaction")
    too_late_hours: int = Field(default=48, ge=1, description="due for longer: not acted on")
    lag_seconds: float = Field(
        default=2.0, gt=0, description="a projector further behind than this decides nothing"
    )
    horizon_hours: int = Field(
        default=36, ge=26, le=24 * 14, description="how far ahead birthdays are looked up"
    )


class ScoringSettings(Section):
    """When buyers are scored, and what is told of it."""

    hour: int = Field(default=2, ge=0, le=23, description="UTC; from then on, once a day")
    chunk: int = Field(default=1_000, ge=1, le=10_000, description="people of one transaction")
    risk_lines: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        default=(0.8,), description="churn risks told when crossed, beside those of triggers"
    )
    margin: float = Field(default=1.0, gt=0, le=1, description="share of an amount that is value")


class PreferenceSettings(Section):
    """The page on which customers say how they want to be spoken to."""

    link_days: int = Field(
        default=365, ge=30, le=3_650, description="how long a link to it leads there"
    )
    policy_version: str | None = Field(
        default=None, max_length=256, description="the text that somebody agrees to on it"
    )


class PersonalizationSettings(Settings):
    """As all services, and the keyring is a must: birthdays and messages are personal."""

    http: HttpSettings = HttpSettings(port=8003)
    kafka: UnhurriedKafkaSettings
    keyring: KeyringSettings
    keys_file: Path
    tenant: str = Field(default="rapport", min_length=1, description="part of every decision's id")
    public_url: str = Field(
        default="http://127.0.0.1:8003", description="as customers' browsers reach /p/{token}"
    )
    brand: str = Field(default="Rapport", description="shown on the preference page")
    triggers_dir: Path | None = Field(
        default=None, description="trigger documents as files; without it, those that ship"
    )
    policies: PolicySettings = PolicySettings()
    deciding: DecidingSettings = DecidingSettings()
    scoring: ScoringSettings = ScoringSettings()
    preferences: PreferenceSettings = PreferenceSettings()
    sender: SenderSettings = SenderSettings()

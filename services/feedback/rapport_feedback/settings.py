"""What may differ between two deployments of the feedback service."""

from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from rapport_runtime.sender import SenderSettings
from rapport_runtime.settings import HttpSettings, KeyringSettings, Section, Settings

from rapport_feedback.domain.asking import Policy
from rapport_feedback.domain.quiet import Quiet


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name} is no IANA time zone") from error
    return name


class AskingSettings(Section):
    """Whom surveys leave alone, over all of them (a definition may be stricter)."""

    zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC", description="IANA zone of people whose own is not known"
    )
    quiet_from: time = time(21)
    quiet_until: time = Field(default=time(8), description="equal to quiet_from: no quiet hours")
    throttle_days: int = Field(default=30, ge=0, le=365, description="between two invitations")
    language: str = Field(default="en", description="of people whose own is not known")
    consent: Literal["none", "service", "marketing"] = Field(
        default="none",
        description="none: not asked who withdrew; else the purpose that must have been granted",
    )
    too_late_hours: int = Field(default=72, ge=1, description="due for longer: not asked any more")
    decide_seconds: float = Field(default=0.2, gt=0, description="how often due ones are taken")

    def policy(self) -> Policy:
        """As the gates take it."""
        return Policy(
            zone=ZoneInfo(self.zone),
            quiet=Quiet(self.quiet_from, self.quiet_until),
            throttle=timedelta(days=self.throttle_days),
            language=self.language,
            consent=self.consent,
            too_late=timedelta(hours=self.too_late_hours),
        )


class LoopSettings(Section):
    """Follow-ups."""

    due_hours: int = Field(default=48, ge=1)
    remind_hours: int = Field(default=24, ge=1, description="between reminders once overdue")
    owner: str = Field(default="care", description="of loops that no agent or team is named for")


class FeedbackSettings(Settings):
    """As all services, and the keyring is a must: comments are personal."""

    http: HttpSettings = HttpSettings(port=8004)
    keyring: KeyringSettings
    keys_file: Path
    public_url: str = Field(
        default="http://127.0.0.1:8004", description="as customers' browsers reach /s/{token}"
    )
    brand: str = Field(default="Rapport", description="shown on the survey page")
    definitions_dir: Path | None = Field(
        default=None, description="survey definitions as files, loaded at start"
    )
    asking: AskingSettings = AskingSettings()
    loop: LoopSettings = LoopSettings()
    sender: SenderSettings = SenderSettings()

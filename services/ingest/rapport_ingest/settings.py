"""What may differ between two deployments of ingest."""

from pathlib import Path

from pydantic import Field, field_validator
from rapport_events.topics import INBOUND, INTERACTIONS
from rapport_runtime.settings import HttpSettings, KeyringSettings, Section, Settings

from rapport_ingest.blocked import parse_blocklist


class TopicSettings(Section):
    """Names, for brokers where ours are taken."""

    inbound: str = INBOUND.name
    interactions: str = INTERACTIONS.name


class QuarantineSettings(Section):
    days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="How long refused events are kept: one that nobody can read may name a "
        "person in a way that their erasure cannot find",
    )


class IdentifierSettings(Section):
    blocked: str = Field(
        default="",
        repr=False,
        description="Identifiers that name nobody: kind:value, separated by commas or lines, * is "
        "any text. email:test@*,phone:+49301234567",
    )

    @field_validator("blocked")
    @classmethod
    def _can_be_read(cls, blocked: str) -> str:
        parse_blocklist(blocked)
        return blocked


class IngestSettings(Settings):
    """As all services; without a keyring nothing could be encrypted, so it is a must."""

    http: HttpSettings = HttpSettings(port=8001)
    keyring: KeyringSettings
    keys_file: Path
    topics: TopicSettings = TopicSettings()
    quarantine: QuarantineSettings = QuarantineSettings()
    identifiers: IdentifierSettings = IdentifierSettings()

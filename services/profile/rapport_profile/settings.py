"""What may differ between two deployments of the profile service."""

from pathlib import Path

from pydantic import Field
from rapport_runtime.settings import HttpSettings, KeyringSettings, Section, Settings

from rapport_profile.domain.identity import Limits


class LiveSettings(Section):
    """Streams of live changes, in each API process."""

    streams: int = Field(default=1_000, ge=0, description="most at once")
    streams_per_key: int = Field(default=250, ge=0, description="most at once with one API key")
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    safety_seconds: float = Field(
        default=5.0, gt=0, description="a change whose notification was lost is seen after this"
    )
    slow_seconds: float = Field(
        default=10.0, gt=0, description="a client that takes longer to read a change has to resume"
    )


class IdentitySettings(Section):
    """How many identifiers of a kind links may give one person; a merge may give them more."""

    user_id: int = Field(default=1, ge=1)
    email: int = Field(default=5, ge=1)
    phone: int = Field(default=5, ge=1)
    anonymous_id: int = Field(default=100, ge=1)
    other: int = Field(default=5, ge=1, description="of any further kind")

    def limits(self) -> Limits:
        return Limits(**self.model_dump())


class ProfileSettings(Settings):
    """As all services, and the keyring is a must: a reader without it could show nobody."""

    http: HttpSettings = HttpSettings(port=8002)
    keyring: KeyringSettings
    keys_file: Path
    identity: IdentitySettings = IdentitySettings()
    live: LiveSettings = LiveSettings()

"""What may differ between two deployments of the profile service."""

from pathlib import Path

from rapport_runtime.settings import HttpSettings, KeyringSettings, Settings


class ProfileSettings(Settings):
    """As all services, and the keyring is a must: a reader without it could show nobody."""

    http: HttpSettings = HttpSettings(port=8002)
    keyring: KeyringSettings
    keys_file: Path

"""What may differ between two deployments of the metrics service."""

from pathlib import Path

from rapport_runtime.settings import HttpSettings, Settings


class MetricsSettings(Settings):
    """As all services. It holds no keys: nothing that it counts is personal."""

    http: HttpSettings = HttpSettings(port=8005)
    keys_file: Path

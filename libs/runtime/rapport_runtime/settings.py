"""What may differ between two deployments, read from the environment once, at start-up."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Section(BaseModel):
    """One nested group of settings; `<name>_file` reads `<name>` from a file.

    A secret in a file reaches neither the process list nor a crash report.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the environment holds
        if not isinstance(given, dict):
            return given
        taken = dict(given)
        for name in [name for name in given if name.endswith("_file")]:
            target = name.removesuffix("_file")
            if target in cls.model_fields and name not in cls.model_fields:
                taken[target] = Path(taken.pop(name)).read_text("utf-8").strip()
        return taken


class HttpSettings(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)


class KafkaSettings(Section):
    bootstrap: str = Field(description="host:port, comma-separated")
    idempotence: bool = Field(default=True, description="false on a broker that lacks it")
    session_timeout_ms: int = Field(default=10_000, ge=500)
    fetch_max_wait_ms: int = Field(default=10, ge=1, le=500)
    instance_id: str | None = Field(
        default=None, description="static membership: a restart keeps its partitions"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: str | None = Field(default=None, repr=False)
    ca_file: Path | None = None


class DatabaseSettings(Section):
    url: str = Field(repr=False, description="postgresql+asyncpg://user:password@host:port/name")
    pool: int = Field(default=10, ge=1, le=200)


class KeyringSettings(Section):
    url: str = Field(repr=False)
    master_key: str = Field(repr=False, description="base64 of 32 bytes")
    cache_seconds: float = Field(default=60.0, gt=0, le=60.0)
    ledger_head_file: Path | None = Field(
        default=None,
        description="the last known head of the ledger of erasures: a keyring that lacks it was "
        "restored from an older backup, and is not opened",
    )


class SpoolSettings(Section):
    dir: Path | None = None
    max_bytes: int = Field(default=1 << 30, ge=1 << 20)


class LogSettings(Section):
    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


class WorkerSettings(Section):
    batch: int = Field(default=30_000, ge=1, le=100_000, description="most records a transaction")
    park_run: int = Field(default=50, ge=0, description="most consecutive events parked")
    park_share: float = Field(
        default=0.2, ge=0, le=1, description="most of the last 1,000 events parked"
    )
    stall_seconds: float = Field(default=30.0, gt=0)


class Settings(BaseSettings):
    """Settings that all services share; each may subclass it."""

    model_config = SettingsConfigDict(
        env_prefix="RAPPORT_",
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    env: Literal["dev", "prod"] = "dev"
    http: HttpSettings = HttpSettings()
    kafka: KafkaSettings
    database: DatabaseSettings
    keyring: KeyringSettings | None = None
    keys_file: Path | None = None
    spool: SpoolSettings = SpoolSettings()
    log: LogSettings = LogSettings()
    worker: WorkerSettings = WorkerSettings()
    failpoints: str = ""

    @model_validator(mode="after")
    def _refuse_plaintext_in_production(self) -> Self:
        if self.env == "prod" and self.kafka.security_protocol == "PLAINTEXT":
            raise ValueError(
                "RAPPORT_KAFKA__SECURITY_PROTOCOL=PLAINTEXT needs RAPPORT_ENV=dev: "
                "the log must not cross a network in the clear"
            )
        return self

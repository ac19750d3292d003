"""The one place where Kafka clients are made: the library's defaults lose events."""

from ssl import SSLContext, create_default_context
from typing import Final, TypedDict

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from rapport_runtime.settings import KafkaSettings, Settings

MAX_RECORD_BYTES: Final = 1 << 20
"""The largest record: 1 MiB, what Kafka brokers accept by default."""

_MAX_PARTITION_FETCH: Final = 8 << 20
_MAX_FETCH: Final = 16 << 20
_METADATA_MS: Final = 30_000
_DAY_MS: Final = 86_400_000


class _Connection(TypedDict):
    bootstrap_servers: str
    security_protocol: str
    ssl_context: SSLContext | None
    sasl_mechanism: str
    sasl_plain_username: str | None
    sasl_plain_password: str | None


def make_consumer(
    settings: Settings, group: str | None, instance_id: str | None = None
) -> AIOKafkaConsumer:
    """A consumer that never commits by itself and never picks a position by itself.

    Without a `group` the caller assigns partitions by hand.
    """
    kafka = settings.kafka
    return AIOKafkaConsumer(
        **_connection(kafka),
        group_id=group,
        group_instance_id=instance_id,
        auto_offset_reset="none",
        enable_auto_commit=False,
        session_timeout_ms=kafka.session_timeout_ms,
        heartbeat_interval_ms=max(100, kafka.session_timeout_ms // 4),
        # A consumer that idled past this limit without partitions can never rejoin
        # (aiokafka#1187); our watchdog is what ends a stuck worker.
        max_poll_interval_ms=_DAY_MS,
        metadata_max_age_ms=_METADATA_MS,
        fetch_max_wait_ms=kafka.fetch_max_wait_ms,
        fetch_max_bytes=_MAX_FETCH,
        max_partition_fetch_bytes=_MAX_PARTITION_FETCH,
        # The same partition of every customer topic goes to the same worker.
        partition_assignment_strategy=(RangePartitionAssignor,),
    )


def make_producer(settings: Settings, *, linger_ms: int = 0) -> AIOKafkaProducer:
    """A producer whose acknowledgement means: on all in-sync replicas."""
    kafka = settings.kafka
    return AIOKafkaProducer(
        **_connection(kafka),
        acks="all",
        enable_idempotence=kafka.idempotence,
        linger_ms=linger_ms,
        max_batch_size=MAX_RECORD_BYTES,
        max_request_size=MAX_RECORD_BYTES,
    )


def _connection(kafka: KafkaSettings) -> _Connection:
    encrypted = kafka.security_protocol.endswith("SSL")
    ca_file = str(kafka.ca_file) if kafka.ca_file else None
    return {
        "bootstrap_servers": kafka.bootstrap,
        "security_protocol": kafka.security_protocol,
        "ssl_context": create_default_context(cafile=ca_file) if encrypted else None,
        "sasl_mechanism": kafka.sasl_mechanism,
        "sasl_plain_username": kafka.sasl_username,
        "sasl_plain_password": kafka.sasl_password,
    }

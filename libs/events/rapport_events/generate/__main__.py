"""`python -m rapport_events.generate [--check]`: write what is made from the event classes.

--check writes nothing, names what is stale or missing, and exits 1 if there is any.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import rapport_events
from rapport_events.catalogue import CLASSES
from rapport_events.generate import examples
from rapport_events.generate.asyncapi import asyncapi
from rapport_events.generate.page import page
from rapport_events.generate.schemas import schemas
from rapport_events.generate.wire import wire_module

PACKAGE: Final = Path(rapport_events.__file__).parent
PAGE: Final = PACKAGE.parents[2] / "docs" / "events.md"


def generated() -> dict[Path, str]:
    """What the classes say today, by the file that should say it."""
    files = {
        PACKAGE / "wire.py": wire_module(),
        PACKAGE / "asyncapi.json": _json(asyncapi()),
    }
    for type_, schema in schemas().items():
        files[PACKAGE / "schemas" / f"{type_}.json"] = _json(schema)
    if PAGE.parent.is_dir():
        files[PAGE] = page()
    return files


def missing_examples() -> dict[Path, str]:
    """Examples of events that have none yet."""
    files = {}
    for event in CLASSES:
        folder = PACKAGE / "examples" / examples.type_of(event)
        files[folder / "plain.json"] = _json(examples.plain(event))
        files[folder / "log.json"] = json.dumps(examples.log(event), separators=(",", ":")) + "\n"
    return {path: text for path, text in files.items() if not path.exists()}


def stale(files: Mapping[Path, str]) -> list[Path]:
    """Files that say something else, and schemas of types that are gone."""
    changed = [
        path for path, text in files.items() if not path.exists() or path.read_text() != text
    ]
    return changed + [path for path in (PACKAGE / "schemas").glob("*.json") if path not in files]


def main(arguments: list[str]) -> int:
    files = generated() | missing_examples()
    found = stale(files)
    for path in found:
        sys.stdout.write(f"{path}\n")
    if "--check" in arguments:
        return 1 if found else 0
    for path in found:
        if path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
        else:
            path.unlink()
    return 0


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

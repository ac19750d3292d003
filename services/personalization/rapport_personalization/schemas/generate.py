"""Writes the JSON Schema of trigger documents, for editors: `python -m` this module."""

import json
from pathlib import Path
from typing import Final

from rapport_personalization.schemas.trigger import TriggerDocument

PATH: Final = Path(__file__).parents[1] / "triggers" / "schema.json"


def schema_text() -> str:
    schema = TriggerDocument.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema_text(), encoding="utf-8")

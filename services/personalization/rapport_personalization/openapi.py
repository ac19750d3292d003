"""The OpenAPI document of this service, made without any server or setting."""

import tempfile
from pathlib import Path
from typing import Final

import orjson
from rapport_runtime.http.auth import Keys

from rapport_personalization.main import create_app, make_resources
from rapport_personalization.settings import PersonalizationSettings

_NOWHERE: Final = "postgresql+asyncpg://localhost/nowhere"


def document() -> bytes:
    """JSON with sorted keys, so that a difference in it is a difference of the API."""
    with tempfile.TemporaryDirectory() as directory:
        keys_file = Path(directory) / "keys.json"
        keys_file.write_bytes(b'{"keys": []}')
        settings = PersonalizationSettings.model_validate(
            {
                "env": "dev",
                "kafka": {"bootstrap": "localhost:9092"},
                "database": {"url": _NOWHERE},
                "keyring": {"url": _NOWHERE, "master_key": ""},
                "keys_file": keys_file,
            }
        )
        app = create_app(settings, make_resources(settings), Keys(keys_file))
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(app.openapi(), option=options)

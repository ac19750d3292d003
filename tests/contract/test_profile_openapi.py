"""The API that agents' frontends were written against is the one that is served."""

from pathlib import Path

from rapport_profile import openapi

COMMITTED = Path(__file__).parents[2] / "openapi" / "profile.json"


def test_the_committed_document_is_the_api() -> None:
    assert openapi.document() == COMMITTED.read_bytes(), (
        "the API has changed: `python -m rapport_profile openapi > openapi/profile.json`, "
        "and look at the difference"
    )

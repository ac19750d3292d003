"""The API that campaign tools were written against is the one that is served."""

from pathlib import Path

from rapport_personalization import openapi

COMMITTED = Path(__file__).parents[2] / "openapi" / "personalization.json"


def test_the_committed_document_is_the_api() -> None:
    assert openapi.document() == COMMITTED.read_bytes(), (
        "the API has changed: "
        "`python -m rapport_personalization openapi > openapi/personalization.json`, "
        "and look at the difference"
    )

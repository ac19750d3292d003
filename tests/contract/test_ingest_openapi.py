"""The API that publishers and operators were promised is the one that is served."""

from pathlib import Path

from rapport_ingest import openapi

COMMITTED = Path(__file__).parents[2] / "openapi" / "ingest.json"


def test_the_committed_document_is_the_api() -> None:
    assert openapi.document() == COMMITTED.read_bytes(), (
        "the API has changed: `python -m rapport_ingest openapi > openapi/ingest.json`, "
        "and look at the difference"
    )

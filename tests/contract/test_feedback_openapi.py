"""The API that survey tools were written against is the one that is served."""

from pathlib import Path

from rapport_feedback import openapi

COMMITTED = Path(__file__).parents[2] / "openapi" / "feedback.json"


def test_the_committed_document_is_the_api() -> None:
    assert openapi.document() == COMMITTED.read_bytes(), (
        "the API has changed: `python -m rapport_feedback openapi > openapi/feedback.json`, "
        "and look at the difference"
    )

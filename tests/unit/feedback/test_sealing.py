"""What customers wrote, on its way to the log."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest
from rapport_feedback.sealing import with_personal
from rapport_privacy.crypto import TamperedError, unseal
from rapport_runtime.outbox import derived_id
from rapport_runtime.subscription import Derived

from tests.support.privacy import a_data_key

SUBJECT = str(uuid4())
FACT = Derived(
    cause=b"c" * 16,
    rule="responded 1",
    topic="rapport.feedback.v1",
    source="rapport/feedback",
    type="survey.responded.v1",
    time=datetime(2026, 3, 1, tzinfo=UTC),
    data={"survey": "v-1"},
    subject=SUBJECT,
)


def test_only_the_customers_key_opens_what_the_customer_wrote() -> None:
    key = a_data_key()

    fact = with_personal(key, FACT, {"comment": "Too slow", "texts": {}, "more": None})

    event_id = str(derived_id(FACT.cause, FACT.rule))
    place: dict[str, Any] = {"subject": SUBJECT, "event_id": event_id, "type_": FACT.type}
    assert orjson.loads(unseal(key, fact.data["pii"], **place)) == {"comment": "Too slow"}
    assert b"slow" not in orjson.dumps(fact.data)
    with pytest.raises(TamperedError):
        unseal(key, fact.data["pii"], **{**place, "event_id": "another"})


def test_an_answer_without_words_has_nothing_to_seal() -> None:
    assert with_personal(a_data_key(), FACT, {"comment": None, "texts": {}}) is FACT

"""The real clients' requests become the drafts that were agreed on."""

import json

import pytest
from rapport_events.codec import check
from rapport_ingest.draft import Draft, identify

from tests.contract.sdk_drafts import GOLDEN, drafts, read, recorded

MODES = sorted(recorded())


@pytest.mark.parametrize("mode", MODES)
def test_a_real_clients_events_are_understood_as_before(mode: str) -> None:
    golden = json.loads(GOLDEN.read_bytes())

    assert json.loads(json.dumps(drafts()[mode])) == golden[mode]


@pytest.mark.parametrize("mode", MODES)
def test_nothing_that_a_real_client_sends_is_refused(mode: str) -> None:
    readings = [reading for request in recorded()[mode] for reading in read(request)]

    assert readings
    for reading in readings:
        assert isinstance(reading, Draft)
        assert check(reading.type, reading.data) == []
        assert identify(reading.identifiers)[1] == ()


@pytest.mark.parametrize("mode", MODES)
def test_a_real_clients_retry_is_the_same_event(mode: str) -> None:
    for request in recorded()[mode]:
        first, again = read(request), read(request)
        assert [reading.id for reading in first] == [reading.id for reading in again]
        assert [one.fingerprint_bytes() for one in first if isinstance(one, Draft)] == [
            one.fingerprint_bytes() for one in again if isinstance(one, Draft)
        ]

"""Every example of the catalogue is an event as a publisher may send it to ingest."""

from importlib.resources import files

import pytest
from rapport_events.catalogue import BY_TYPE
from rapport_events.codec import check
from rapport_ingest.adapters import cloudevents
from rapport_ingest.canonical import canonicalise, parse
from rapport_ingest.draft import identify

from tests.support.publishers import ARRIVAL, only_draft

EXAMPLES = files("rapport_events") / "examples"


@pytest.mark.parametrize("type_", sorted(BY_TYPE))
def test_an_example_of_the_catalogue_is_read_as_it_stands(type_: str) -> None:
    event = parse((EXAMPLES / type_ / "plain.json").read_bytes())

    draft = only_draft(cloudevents.read(event, ARRIVAL))

    assert canonicalise(event) == event
    assert draft.type == type_
    assert check(type_, draft.data) == []
    assert identify(draft.identifiers)[1] == identify(draft.other)[1] == ()

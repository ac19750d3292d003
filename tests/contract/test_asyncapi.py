"""The AsyncAPI document is valid, complete, and true of the golden examples."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from rapport_events.catalogue import CLASSES
from rapport_events.event import Event
from rapport_events.generate.__main__ import PACKAGE
from rapport_events.generate.asyncapi import PUBLISHED
from rapport_events.generate.examples import type_of
from rapport_events.topics import TOPICS

OFFICIAL = Path(__file__).parent / "data" / "asyncapi-3.1.0.json"
VALIDATOR = jsonschema_rs.validator_for(json.loads(OFFICIAL.read_bytes()))
DOCUMENT: dict[str, Any] = json.loads((PACKAGE / "asyncapi.json").read_bytes())


def test_the_document_is_valid_by_the_official_schema() -> None:
    VALIDATOR.validate(DOCUMENT)


@pytest.mark.parametrize(
    "broken",
    [
        {"asyncapi": "4.0.0"},
        {"info": {"title": "Rapport"}},
        {"operations": {"inbound": {"action": "shout", "channel": {"$ref": "#/channels/inbound"}}}},
        {"topics": {}},
    ],
)
def test_a_broken_document_is_not(broken: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(DOCUMENT | broken)


def test_every_topic_is_a_channel() -> None:
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}

    assert addresses == {topic.name for topic in TOPICS}


def test_every_reference_leads_somewhere() -> None:
    for reference in _references(DOCUMENT):
        place: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


def _references(node: object) -> set[str]:
    if isinstance(node, dict):
        here = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return here.union(*map(_references, node.values()))
    return set().union(*map(_references, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize(
    ("prefix", "name", "event"),
    [("published", "plain.json", event) for event in PUBLISHED]
    + [("logged", "log.json", event) for event in CLASSES],
)
def test_the_golden_examples_are_messages_of_the_document(
    prefix: str, name: str, event: type[Event]
) -> None:
    golden = json.loads((PACKAGE / "examples" / type_of(event) / name).read_bytes())
    payload = DOCUMENT["components"]["messages"][f"{prefix}.{event.type}"]["payload"]
    validator = jsonschema_rs.Draft7Validator(payload | {"components": DOCUMENT["components"]})

    validator.validate(golden)

    assert not validator.is_valid(golden | {"type": "another.thing.v1"})

"""Nothing about an event is forgotten: class, topic, examples, and all that is made from them."""

import gzip
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest
from rapport_events.catalogue import BY_CALL, BY_SEGMENT, BY_TYPE, CLASSES, EVENTS, Custom, class_of
from rapport_events.codec import decode, decode_data
from rapport_events.event import Event, Pii, json_fields
from rapport_events.generate.__main__ import PACKAGE, generated, missing_examples, stale
from rapport_events.generate.examples import type_of
from rapport_events.problem import check
from rapport_events.topics import TOPICS

ROOT = Path(__file__).parents[2]
KPI_EXAMPLE = ROOT.parent / "shared" / "data" / "kpi-example" / "events.jsonl.gz"
EXAMPLES = sorted((PACKAGE / "examples").iterdir())
every_event = pytest.mark.parametrize("event", CLASSES, ids=type_of)


def example(event: type[Event], name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_example_path(event, name).read_bytes())
    return loaded


def _example_path(event: type[Event], name: str) -> Path:
    return PACKAGE / "examples" / type_of(event) / name


def test_every_event_class_is_in_the_catalogue() -> None:
    ours = {event for event in Event.__subclasses__() if event.__module__.startswith("rapport_")}

    assert ours == set(CLASSES)


def test_a_type_means_one_event_and_is_named_in_the_past_tense() -> None:
    assert len(BY_TYPE) == len(EVENTS)
    for type_ in BY_TYPE:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+\.v[1-9]\d*", type_)


def test_a_segment_name_means_one_event() -> None:
    names = [name for event in EVENTS for name in event.segment]

    assert len(BY_SEGMENT) + len(BY_CALL) == len(names)


@pytest.mark.parametrize("event", EVENTS, ids=type_of)
def test_every_event_travels_in_some_topic(event: type[Event]) -> None:
    assert any(event in topic.carries for topic in TOPICS)


@every_event
def test_every_event_and_field_says_what_it_is(event: type[Event]) -> None:
    assert event.__doc__ != Event.__doc__
    assert inspect.getdoc(event)
    for field in json_fields(event).values():
        assert field.description
        assert field.examples


@every_event
def test_the_mark_of_personal_data_stands_outermost(event: type[Event]) -> None:
    for field in event.model_fields.values():
        assert not any(isinstance(mark, Pii) for mark in _inner_marks(field.annotation))


def _inner_marks(annotation: object) -> Iterator[object]:
    yield from getattr(annotation, "__metadata__", ())
    for argument in get_args(annotation):
        yield from _inner_marks(argument)


@every_event
def test_the_example_of_every_event_is_let_in(event: type[Event]) -> None:
    published = example(event, "plain.json")
    data = published["data"]
    if "identifiers" not in event.model_fields:
        data.pop("identifiers", None)

    assert class_of(published["type"]) is event
    assert check(published["type"], data) == []


@every_event
def test_the_example_of_every_event_fits_its_schema(event: type[Event]) -> None:
    schema = json.loads((PACKAGE / "schemas" / f"{event.type}.json").read_bytes())

    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.Draft202012Validator(schema).validate(example(event, "plain.json")["data"])


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_every_version_ever_shipped_stays_readable(folder: Path) -> None:
    envelope = decode((folder / "log.json").read_bytes())

    assert envelope.type == folder.name
    assert decode_data(envelope)


def test_no_event_lacks_an_example() -> None:
    assert missing_examples() == {}


def test_what_is_generated_says_what_the_classes_say() -> None:
    assert stale(generated()) == []


def test_a_stale_file_is_noticed() -> None:
    wire = PACKAGE / "wire.py"

    assert wire in stale(generated() | {wire: "something else"})


@pytest.mark.skipif(not KPI_EXAMPLE.exists(), reason="the shared KPI example is not here")
def test_the_worked_kpi_example_is_let_in() -> None:
    refused = []
    with gzip.open(KPI_EXAMPLE, "rt") as lines:
        for line in lines:
            event = json.loads(line)
            data = event.get("data") or {}
            if "subject" in data:
                data["about"] = data.pop("subject")
            if event["type"] == "customer.merged":
                data["from"] = {"user_id": data["from"]}
            refused += check(f"{event['type']}.v1", data)

    assert refused == []


def test_a_publishers_own_event_has_a_class_and_no_place_in_the_catalogue() -> None:
    assert Custom not in EVENTS
    assert class_of(type_of(Custom)) is Custom

"""Whatever arrives, reading it ends in an event or in a named reason, and nothing is lost."""

from collections.abc import Callable
from functools import cache
from keyword import iskeyword
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapport_events import wire
from rapport_events.catalogue import BY_TYPE, EVENTS
from rapport_events.codec import UndecodableEventError, decode, decode_data, encode
from rapport_events.event import Event, json_fields, pii_fields
from rapport_events.feedback import SCALES
from rapport_events.generate.examples import log
from rapport_events.generate.schemas import published
from rapport_events.problem import Problem, check

from tests.support.events import NOON
from tests.support.json_data import ANYTHING, values_of

ATTRIBUTES = {"id": "e-1", "source": "/test", "time": NOON, "recordedtime": NOON}
TYPES = [event.type for event in EVENTS]
HARMLESS = [*TYPES, "custom.a.v1", "customer.erased.v9", "nonsense", ""]


def read(value: bytes) -> None:
    try:
        decode_data(decode(value))
    except UndecodableEventError:
        return


@given(st.binary())
def test_any_bytes_are_read_or_refused_with_a_reason(value: bytes) -> None:
    read(value)


@given(st.sampled_from(TYPES), st.integers(0, 2000), st.integers(0, 8), st.binary(max_size=8))
def test_a_damaged_record_is_read_or_refused_with_a_reason(
    type_: str, start: int, length: int, damage: bytes
) -> None:
    good = msgspec.json.encode(log(BY_TYPE[type_]))

    read(good[:start] + damage + good[start + length :])


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("subject", "linked", "identifiedby", "channel", "historical", "data"), ANYTHING
        )
        | {"specversion": st.sampled_from(["1.0", "", 1])}
        | {name: st.text() | ANYTHING for name in ("id", "source")}
        | {name: st.just("2026-03-01T12:00:00Z") | ANYTHING for name in ("time", "recordedtime")}
        | {"type": st.sampled_from(HARMLESS) | ANYTHING},
    )
)
def test_any_object_is_read_or_refused_with_a_reason(event: dict[str, Any]) -> None:
    read(msgspec.json.encode(event))


@given(st.sampled_from(HARMLESS), ANYTHING)
def test_the_door_never_fails_on_anything(type_: str, data: object) -> None:
    problems = check(type_, data)

    assert all(isinstance(problem, Problem) for problem in problems)


@pytest.mark.parametrize("type_", TYPES)
@settings(max_examples=25)
@given(st.data())
def test_what_the_schema_allows_is_let_in_and_comes_back_whole(
    type_: str, data: st.DataObject
) -> None:
    event, personal = BY_TYPE[type_], pii_fields(BY_TYPE[type_])
    sent = data.draw(sent_by_publishers(type_))
    clear = {name: value for name, value in sent.items() if name not in personal}

    problems = check(type_, sent)
    known = event.model_validate(sent)
    told = decode_data(decode(encode(ATTRIBUTES | {"type": type_}, clear)))

    assert problems == []
    assert type(told) is wire.BY_TYPE[type_]
    told_fields = msgspec.structs.asdict(told)
    for name in json_fields(event).keys() - personal:
        expected = getattr(known, _python_name(event, name))
        assert _plain(told_fields[f"{name}_" if iskeyword(name) else name]) == _plain(expected)


@cache
def sent_by_publishers(type_: str) -> st.SearchStrategy[dict[str, Any]]:
    schema = published(BY_TYPE[type_])
    if "identifiers" not in BY_TYPE[type_].model_fields:
        schema["properties"].pop("identifiers", None)
    return values_of(schema).filter(BETWEEN_FIELDS.get(type_, lambda _: True))


BETWEEN_FIELDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "customer.merged.v1": lambda data: bool(data.get("from")),
    "order.placed.v1": lambda data: data.get("amount") is None or bool(data.get("currency")),
    "survey.responded.v1": lambda data: (
        data.get("score") is None
        or data["kind"] == "custom"
        or SCALES[data["kind"]][0] <= data["score"] <= SCALES[data["kind"]][1]
    ),
}
"""What JSON Schema cannot say of two fields, or says in a way that nothing can be drawn from."""


def _python_name(event: type[Event], name: str) -> str:
    return next(
        python_name
        for python_name, field in event.model_fields.items()
        if (field.alias or python_name) == name
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of any event
    """Nested models and nested structs as the same dictionaries."""
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    return value.model_dump() if hasattr(value, "model_dump") else value

"""What passes the canonicaliser can be stored, encoded and read back everywhere."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapport_events.codec import Problem
from rapport_ingest.canonical import UnreadableBodyError, canonicalise, parse

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
INT64 = st.integers(-(2**63), 2**63 - 1)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | INT64 | FLOAT | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def verdict(body: str | bytes) -> str:
    event = canonicalise(parse(body.encode() if isinstance(body, str) else body))
    return event.code if isinstance(event, Problem) else "accepted"


def nested(levels: int) -> str:
    """An event of so many levels, the event itself being the first."""
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (nested(32), "accepted"),
        (nested(33), "too_deep"),
        ('{"a":' + "[" * 500 + "]" * 500 + "}", "too_deep"),
        (json.dumps({str(key): 1 for key in range(1000)}), "accepted"),
        (json.dumps({str(key): 1 for key in range(1001)}), "too_many_keys"),
        (json.dumps([{"a": 1}] * 1001).join(('{"list":', "}")), "too_many_keys"),
        (json.dumps({"a": "x" * 16_384}), "accepted"),
        (json.dumps({"a": "x" * 16_385}), "string_too_long"),
        (json.dumps({"a": "ä" * 8_193}), "string_too_long"),
        (json.dumps({"x" * 16_385: 1}), "string_too_long"),
        (json.dumps({str(key): "x" * 16_000 for key in range(4)}), "accepted"),
        (json.dumps({str(key): "x" * 16_380 for key in range(5)}), "too_large"),
        ('{"a":9223372036854775807}', "accepted"),
        ('{"a":9223372036854775808}', "integer_too_large"),
        ('{"a":-9223372036854775808}', "accepted"),
        ('{"a":-9223372036854775809}', "integer_too_large"),
        ('{"a":123456789012345678901234567890}', "integer_too_large"),
        ('{"a":' + "9" * 100_000 + "}", "integer_too_large"),
        ('{"a":1e30}', "accepted"),
        ('{"a":12345678901234567890.5}', "accepted"),
        ('{"a":1e400}', "not_finite"),
        ('{"a":NaN}', "not_finite"),
        ('{"a":-Infinity}', "not_finite"),
        ('{"a":"\\u0000"}', "nul"),
        ('{"\\u0000":1}', "nul"),
        ('{"a":"\\\\u0000"}', "accepted"),
        ('{"a":"\\ud83d"}', "lone_surrogate"),
        ('{"\\ud83d":1}', "lone_surrogate"),
        ('{"a":"\\ud83d\\ude00"}', "accepted"),
        ('{"a":1,"a":2}', "repeated_key"),
        ('{"a":{"b":1,"b" : 2}}', "repeated_key"),
        ('{"a":1,"a":"\\u003a"}', "repeated_key"),
        ('{"a":1,"\\u0061":1}', "repeated_key"),
        ('{"é":1,"e\u0301":2}', "repeated_key"),
        ("[]", "not_an_object"),
        ('"text"', "not_an_object"),
        ("null", "not_an_object"),
    ],
)
def test_nothing_accepted_is_poison_later(body: str, expected: str) -> None:
    """publishers.md, line 14."""
    assert verdict(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\xff"}',
        b'{"a":1',
        b"{'a':1}",
        b"nul",
        b"{} {}",
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_no_json_in_utf8_is_unreadable(body: bytes) -> None:
    """publishers.md, line 2: only this fails a whole request."""
    with pytest.raises(UnreadableBodyError) as refused:
        parse(body)

    assert refused.value.status_code == 400
    assert refused.value.code == "unreadable_body"


@pytest.mark.parametrize(
    "flaw",
    ['{"a":1,"a":2}', '{"a":NaN}', '{"a":1e999}', '{"a":"\\udc00"}', '{"a":' + "9" * 30 + "}"],
)
def test_a_flaw_stays_with_the_event_that_has_it(flaw: str) -> None:
    body = parse(f'[{{"a":1}},{flaw},{{"b":2}}]'.encode())

    assert isinstance(body, list)
    first, flawed, last = (canonicalise(event) for event in body)

    assert (first, last) == ({"a": 1}, {"b": 2})
    assert isinstance(flawed, Problem)


def test_text_is_composed_in_keys_and_values() -> None:
    event = canonicalise(parse('{"cafe\u0301":"Zoe\u0308"}'.encode()))

    assert event == {"café": "Zoë"}


def test_numbers_keep_their_kind() -> None:
    event = canonicalise(parse(b'{"a":1.0,"b":1,"c":-0.0,"d":true}'))

    assert orjson.dumps(event) == b'{"a":1.0,"b":1,"c":-0.0,"d":true}'


def test_a_problem_says_where_it_is() -> None:
    problem = canonicalise(parse(b'{"a/b":[{"~":"\\u0000"}]}'))

    assert isinstance(problem, Problem)
    assert problem.pointer == "/a~1b/0/~0"


@settings(deadline=None)
@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_canonical_form_is_a_fixed_point(event: dict[str, Any]) -> None:
    once = canonicalise(parse(orjson.dumps(event)))
    if isinstance(once, Problem):
        return

    again = canonicalise(parse(orjson.dumps(once)))

    assert orjson.dumps(again) == orjson.dumps(once)


@settings(deadline=None)
@given(st.dictionaries(TEXT, JSON, max_size=4), st.booleans())
def test_how_json_is_written_makes_no_difference(event: dict[str, Any], ascii_only: bool) -> None:  # noqa: FBT001
    spaced = json.dumps(event, indent=1, separators=(" ,", " : "), ensure_ascii=ascii_only)

    assert canonicalise(parse(spaced.encode())) == canonicalise(parse(orjson.dumps(event)))


@settings(deadline=None)
@given(st.binary(max_size=200) | JSON.map(orjson.dumps))
def test_any_bytes_are_a_value_or_unreadable(body: bytes) -> None:
    try:
        value = parse(body)
    except UnreadableBodyError:
        return

    assert isinstance(canonicalise(value), dict | Problem)

"""Rules of comments as people write them, and what is told of those that make no sense."""

from typing import Any

import pytest
from pydantic import ValidationError
from rapport_feedback.schemas.comment_rules import RulesDocument


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({"topics": {"a": {"words": ["***"]}}}, "/topics/a/words/any/0"),
        ({"topics": {"a": {"words": {"en": ["fine", "de*iver"]}}}}, "/topics/a/words/en/1"),
        ({"topics": {"a": {"words": {"en": ["x*"]}}}}, "/topics/a/words/en/0"),
        ({"topics": {"a": {"words": {"en": ["a b c d e f g"]}}}}, "/topics/a/words/en/0"),
        ({"topics": {"a": {"words": {"en": []}}}}, "/topics/a/words/en"),
        ({"topics": {"a": {"words": {"english": ["x"]}}}}, "/topics/a/words/english/[key]"),
        ({"topics": {"A b": {"words": ["x"]}}}, "/topics/A b/[key]"),
        ({"topics": {"a": {"words": ["x"], "about": "weather"}}}, "/topics/a/about"),
        ({"about": {"weather": {"words": ["x"]}}}, "/about/weather/[key]"),
        ({"negation_window": 11}, "/negation_window"),
        ({"toppics": {}}, "/toppics"),
        ({"topics": {f"t{n}": {"words": ["x"]} for n in range(51)}}, "/topics"),
    ],
)
def test_what_is_wrong_with_rules_is_told_at_its_place(rules: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RulesDocument.model_validate(rules)

    places = {"/" + "/".join(map(str, error["loc"])) for error in refused.value.errors()}
    assert pointer in places

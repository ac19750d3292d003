"""The rules by which comments are understood, as people write them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from rapport_runtime.http.views import Instant, View

from rapport_feedback.domain.comments import ANY, Rule, Rules, split_phrase
from rapport_feedback.domain.definition import About

MOST_TOPICS: Final = 50
"""As many as one `feedback.classified` can name."""

_MOST_WORDS: Final = 6
_SHORTEST_BEGINNING: Final = 2
_ANY_LANGUAGE: Final = "any"

_EXAMPLE: Final[JsonDict] = {
    "about": {"service": {"words": ["agent*", "staff"]}},
    "topics": {
        "delivery": {
            "about": "service",
            "words": {"en": ["deliver*", "parcel"], "de": ["liefer*", "paket*"]},
        },
        "defect": {"about": "product", "words": {"en": ["broken"]}, "skip_negated": True},
    },
    "negations": {"en": ["not", "never", "nothing"]},
    "negation_window": 3,
}


def _phrase(phrase: str) -> str:
    """Says what is wrong with a phrase, at the phrase."""
    words = split_phrase(phrase)
    if not words:
        raise PydanticCustomError("no_word", "has no word in it; write letters or digits")
    if len(words) > _MOST_WORDS:
        raise PydanticCustomError("too_many_words", "has more than 6 words; write a shorter phrase")
    for given in phrase.split():
        if "*" in given.removesuffix("*"):
            raise PydanticCustomError(
                "bad_star", "has a * that does not end a word; write `deliver*`, not `de*iver`"
            )
        if given == "*":
            raise PydanticCustomError("bad_star", "has a * without a word; write `deliver*`")
    if any(is_beginning and len(word) < _SHORTEST_BEGINNING for word, is_beginning in words):
        raise PydanticCustomError("bad_star", "a beginning needs at least 2 letters before its *")
    return phrase


def _by_language(given: object) -> object:
    """A plain list is for all languages."""
    return {_ANY_LANGUAGE: given} if isinstance(given, list) else given


_Language = Annotated[str, Field(pattern=r"^(any|[a-z]{2,3})$")]
_Phrase = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_phrase)]
_Phrases = Annotated[list[_Phrase], Field(min_length=1, max_length=500)]
_Words = Annotated[
    dict[_Language, _Phrases],
    BeforeValidator(_by_language),
    Field(
        min_length=1,
        max_length=30,
        description="Words and phrases by language, `any` for all, or one list for all; "
        "case and accents do not count, a word is met whole, `deliver*` meets all that begin so",
        examples=[{"en": ["deliver*", "parcel"], "de": ["liefer*"]}],
    ),
]
_TopicId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class WordsDocument(BaseModel):
    """By which words one of the abouts is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: _Words
    skip_negated: bool = Field(
        default=False, description="A word that stands after a negation is not counted"
    )


class TopicDocument(WordsDocument):
    """By which words a topic is known."""

    about: About | None = Field(default=None, description="A comment on it is about this")


class RulesDocument(BaseModel):
    """All rules. What is matched is explained by `POST /v1/comment-rules:try`."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [_EXAMPLE]}
    )

    about: dict[About, WordsDocument] = Field(default={}, description="Words that tell the about")
    topics: dict[_TopicId, TopicDocument] = Field(default={}, max_length=MOST_TOPICS)
    negations: dict[_Language, _Phrases] = Field(
        default={}, max_length=30, description="Single words that turn what follows round"
    )
    negation_window: int = Field(
        default=3, ge=0, le=10, description="How many words before a match are looked at"
    )

    def rules(self, version: int) -> Rules:
        return Rules(
            version=version,
            about=[_rule(about, given) for about, given in self.about.items()],
            topics=[_rule(name, given, given.about) for name, given in self.topics.items()],
            negations=dict(_spoken(self.negations)),
            negation_window=self.negation_window,
        )


class RulesView(View):
    """The rules that count now."""

    version: int = Field(description="0: those that came with the service")
    created_at: Instant | None = None
    created_by: str | None = None
    rules: RulesDocument


class AskedTry(BaseModel):
    """A comment to try the rules on; it is not kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1, max_length=16_384, repr=False)
    language: str | None = Field(
        default=None, max_length=35, description="BCP 47; absent: the words of all", examples=["de"]
    )
    about: About | None = Field(default=None, description="What the survey asked about")
    rules: RulesDocument | None = Field(default=None, description="Absent: those that count now")


class MatchView(View):
    """A phrase of a rule, and the words that it met."""

    kind: str
    rule: str
    phrase: str
    words: str
    negated: bool
    counted: bool


class TriedView(View):
    """What the rules say of the comment, and why."""

    version: int | None = Field(description="Null: rules of the request")
    about: About | None
    topics: list[str]
    sentiment: int | None = Field(description="-100 to 100; null: none, see docs/feedback.md")
    matches: list[MatchView]


def _rule(name: str, given: WordsDocument, about: About | None = None) -> Rule:
    words = dict(_spoken(given.words))
    return Rule(id=name, words=words, about=about, skip_negated=given.skip_negated)


def _spoken(given: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Sequence[str]]]:
    for language, words in given.items():
        yield (ANY if language == _ANY_LANGUAGE else language), words

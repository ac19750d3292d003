"""What a comment is about, by rules that people can edit; and why the rules say so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, get_args

from rapport_feedback.domain.definition import About
from rapport_feedback.domain.wording import Word, fold, words_of

ABOUTS: Final[tuple[About, ...]] = get_args(About)

ANY: Final = ""
"""The language of words that count in each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A topic, or one of the abouts: by which words it is known.

    `words`: language to phrases; a word that ends with `*` stands for all that begin like it.
    """

    id: str
    words: Mapping[str, Sequence[str]]
    about: About | None = None
    skip_negated: bool = False
    """`broken` is not meant in "nothing was broken"; `refund` is in "no refund"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One version of all rules."""

    version: int
    about: Sequence[Rule]
    topics: Sequence[Rule]
    negations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    negation_window: int = 3


class Match(NamedTuple):
    """Why: a phrase of a rule, and the words of the comment that it met."""

    kind: Literal["about", "topic"]
    rule: str
    phrase: str
    words: str
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What is said of an answer. Nothing at all is a classification, too."""

    about: About | None = None
    topics: tuple[str, ...] = ()
    sentiment: int | None = None


NOTHING: Final = Classification()


class _Phrase(NamedTuple):
    """A phrase, as it is looked for: its words, and which of them are beginnings only."""

    kind: Literal["about", "topic"]
    rule: Rule
    language: str
    text: str
    words: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Rules, prepared: a word of a comment finds the phrases that begin with it."""

    rules: Rules
    exact: Mapping[str, Sequence[_Phrase]]
    beginnings: Mapping[str, Sequence[_Phrase]]
    lengths: Sequence[int]
    negations: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, rules: Rules) -> "Reader":
        exact: dict[str, list[_Phrase]] = {}
        beginnings: dict[str, list[_Phrase]] = {}
        for phrase in _phrases(rules):
            first, is_beginning = phrase.words[0]
            (beginnings if is_beginning else exact).setdefault(first, []).append(phrase)
        return cls(
            rules=rules,
            exact=exact,
            beginnings=beginnings,
            lengths=sorted({len(first) for first in beginnings}),
            negations={
                language: frozenset(map(fold, words)) for language, words in rules.negations.items()
            },
        )

    def matches(self, text: str, language: str | None) -> list[Match]:
        """All that was found, in the order of the words. `language`: None counts all of them."""
        words = words_of(text)
        spoken = None if language is None else primary(language)
        return [
            Match(
                phrase.kind, phrase.rule.id, phrase.text,
                _written(words[at : at + len(phrase.words)]), self._is_negated(words, at, spoken),
            )
            for at in range(len(words))
            for phrase in self._beginning_at(words, at)
            if _is_spoken(phrase.language, spoken)
        ]  # fmt: skip

    def classify(
        self, text: str, language: str | None = None, asked: About | None = None
    ) -> Classification:
        """What the comment says. `asked`: what the survey asked about, which settles a draw."""
        return self.conclude(self.matches(text, language), asked)

    def conclude(self, found: Sequence[Match], asked: About | None = None) -> Classification:
        counted = {
            (match.kind, match.rule, match.phrase) for match in found if self.is_counted(match)
        }
        topics = {rule for kind, rule, _ in counted if kind == "topic"}
        votes = [rule for kind, rule, _ in counted if kind == "about"]
        votes += [rule.about for rule in self.rules.topics if rule.id in topics and rule.about]
        return Classification(
            about=_elect(votes, asked),
            topics=tuple(rule.id for rule in self.rules.topics if rule.id in topics),
        )

    def is_counted(self, match: Match) -> bool:
        rules = self.rules.topics if match.kind == "topic" else self.rules.about
        return not match.negated or not next(r for r in rules if r.id == match.rule).skip_negated

    def _beginning_at(self, words: Sequence[Word], at: int) -> Iterator[_Phrase]:
        first = words[at].folded
        candidates = list(self.exact.get(first, ()))
        for length in self.lengths:
            candidates += self.beginnings.get(first[:length], ()) if length <= len(first) else ()
        for phrase in candidates:
            rest = words[at : at + len(phrase.words)]
            if len(rest) == len(phrase.words) and all(map(_meets, rest, phrase.words)):
                yield phrase

    def _is_negated(self, words: Sequence[Word], at: int, spoken: str | None) -> bool:
        before = words[max(0, at - self.rules.negation_window) : at]
        return any(
            word.folded in negations
            for language, negations in self.negations.items()
            if _is_spoken(language, spoken)
            for word in before
        )


def primary(language: str) -> str:
    """`de` of `de-AT`."""
    return language.replace("_", "-").split("-", 1)[0].lower()


def split_phrase(phrase: str) -> tuple[tuple[str, bool], ...]:
    """The words of a phrase, and which of them are beginnings; none when it has no word."""
    parts: list[tuple[str, bool]] = []
    for given in phrase.split():
        folded = [word.folded for word in words_of(given.removesuffix("*"))]
        parts += [(word, False) for word in folded]
        if folded and given.endswith("*"):
            parts[-1] = (folded[-1], True)
    return tuple(parts)


def _phrases(rules: Rules) -> Iterator[_Phrase]:
    kinds: Sequence[tuple[Literal["about", "topic"], Sequence[Rule]]] = (
        ("about", rules.about),
        ("topic", rules.topics),
    )
    for kind, group in kinds:
        for rule in group:
            for language, phrases in rule.words.items():
                for text in phrases:
                    if words := split_phrase(text):
                        yield _Phrase(kind, rule, language, text, words)


def _meets(word: Word, wanted: tuple[str, bool]) -> bool:
    text, is_beginning = wanted
    return word.folded.startswith(text) if is_beginning else word.folded == text


def _is_spoken(language: str, spoken: str | None) -> bool:
    return spoken is None or language in {ANY, spoken}


def _written(words: Sequence[Word]) -> str:
    return " ".join(word.written for word in words)


def _elect(votes: Sequence[str], asked: About | None) -> About | None:
    """Most votes; in a draw what was asked about, else the first in the order of `ABOUTS`."""
    counts = {about: votes.count(about) for about in ABOUTS if about in votes}
    if not counts:
        return None
    most = max(counts.values())
    drawn = [about for about, count in counts.items() if count == most]
    return asked if asked in drawn and asked is not None else drawn[0]

"""What somebody gave as answers, held against what was asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from rapport_feedback.domain.definition import (
    COMMENT,
    Choice,
    Definition,
    FreeText,
    Question,
    Score,
)

_CONTROLS: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """By question id, as it came; nothing of it is held against the questions yet."""

    scores: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """As `survey.responded` tells them: the score of the survey and the comment have names."""

    score: int | None = None
    scores: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    comment: str | None = field(default=None, repr=False)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)


FlawCode = Literal[
    "required", "not_on_scale", "no_option", "one_only", "too_long", "not_asked", "nothing"
]


class Flaw(NamedTuple):
    """Why the answers cannot be taken. Never holds what was given: it is personal."""

    code: FlawCode
    question: str | None = None
    """None: it is about all of them."""
    limits: tuple[int, ...] = ()
    """Lowest and highest score, or the most characters."""


def check(definition: Definition, given: Given) -> Answers | tuple[Flaw, ...]:
    """The answers, if each is one that its question allows, and at least one was given."""
    tidy = Given(
        scores=given.scores,
        choices={name: chosen for name, chosen in given.choices.items() if chosen},
        texts={name: clean for name, text in given.texts.items() if (clean := tidied(text))},
    )
    flaws = (*_not_asked(definition, tidy), *_flaws(definition, tidy))
    if flaws:
        return flaws
    if not (tidy.scores or tidy.choices or tidy.texts):
        return (Flaw("nothing"),)
    return _answers(definition, tidy)


def tidied(text: str) -> str:
    """One kind of line end, as browsers send another, no blanks around it, and only what shows:
    a control character is one that nobody has typed, and takes six bytes of an event."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS).strip()


def _answers(definition: Definition, given: Given) -> Answers:
    main = None if definition.score is None else definition.score.id
    return Answers(
        score=None if main is None else given.scores.get(main),
        scores={name: score for name, score in given.scores.items() if name != main},
        choices={name: tuple(chosen) for name, chosen in given.choices.items()},
        comment=given.texts.get(COMMENT),
        texts={name: text for name, text in given.texts.items() if name != COMMENT},
    )


def _not_asked(definition: Definition, given: Given) -> Iterator[Flaw]:
    kinds: tuple[tuple[type[Question], Mapping[str, object]], ...] = (
        (Score, given.scores),
        (Choice, given.choices),
        (FreeText, given.texts),
    )
    for kind, answers in kinds:
        asked = {one.id for one in definition.questions if isinstance(one, kind)}
        yield from (Flaw("not_asked", name) for name in answers if name not in asked)


def _flaws(definition: Definition, given: Given) -> Iterator[Flaw]:
    for question in definition.questions:
        flaw = _flaw(question, given)
        if flaw is not None:
            yield flaw


def _flaw(question: Question, given: Given) -> Flaw | None:
    match question:
        case Score():
            return _flaw_of_score(question, given.scores.get(question.id))
        case Choice():
            return _flaw_of_choice(question, given.choices.get(question.id, ()))
        case FreeText():
            return _flaw_of_text(question, given.texts.get(question.id, ""))


def _flaw_of_score(question: Score, score: int | None) -> Flaw | None:
    if score is None:
        return Flaw("required", question.id) if question.required else None
    low, high = question.bounds
    return None if low <= score <= high else Flaw("not_on_scale", question.id, (low, high))


def _flaw_of_choice(question: Choice, chosen: Sequence[str]) -> Flaw | None:
    if not chosen:
        return Flaw("required", question.id) if question.required else None
    offered = {option.id for option in question.options}
    if len(set(chosen)) < len(chosen) or not offered.issuperset(chosen):
        return Flaw("no_option", question.id)
    return Flaw("one_only", question.id) if len(chosen) > 1 and not question.multiple else None


def _flaw_of_text(question: FreeText, text: str) -> Flaw | None:
    if not text:
        return Flaw("required", question.id) if question.required else None
    return Flaw("too_long", question.id, (question.max,)) if len(text) > question.max else None

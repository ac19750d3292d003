"""An answer as it is after a correction, and answers of the API held against what was asked."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from rapport_feedback.domain.definition import COMMENT, Choice, Definition, Score
from rapport_feedback.domain.given import Answers, Flaw, Given, check

T = TypeVar("T")

_NOTHING: Final[Mapping[str, Any]] = {}


def corrected(known: Answers, said: Mapping[str, Any]) -> Answers:
    """What is said replaces what was known, question by question; null takes it back."""
    return Answers(
        score=said.get("score", known.score),
        scores=_merged(known.scores, said.get("scores", _NOTHING)),
        choices={
            name: tuple(chosen)
            for name, chosen in _merged(known.choices, said.get("choices", _NOTHING)).items()
        },
        comment=said.get("comment", known.comment),
        texts=_merged(known.texts, said.get("texts", _NOTHING)),
    )


def check_answers(definition: Definition, answers: Answers) -> Answers | tuple[Flaw, ...]:
    """As `check`, for answers that have the names of the event."""
    main = definition.score
    if answers.score is not None and main is None:
        return (Flaw("not_asked", "score"),)
    scores, texts = dict(answers.scores), dict(answers.texts)
    if main is not None and answers.score is not None:
        scores[main.id] = answers.score
    if answers.comment is not None:
        texts[COMMENT] = answers.comment
    return check(definition, Given(scores=scores, choices=answers.choices, texts=texts))


def pointer_of(flaw: Flaw, definition: Definition, answers: Answers) -> str:
    """Where in a request the flaw is: `/score`, `/scores/speed`."""
    name = flaw.question
    if name is None or (name == "score" and definition.score is None):
        return "/score"
    question = next((one for one in definition.questions if one.id == name), None)
    if flaw.code == "not_asked":
        places = (("scores", answers.scores), ("choices", answers.choices))
        return f"/{next((place for place, given in places if name in given), 'texts')}/{name}"
    if question == definition.score:
        return "/score"
    match question:
        case Score():
            return f"/scores/{name}"
        case Choice():
            return f"/choices/{name}"
        case _:
            return "/comment" if name == COMMENT else f"/texts/{name}"


def _merged(known: Mapping[str, T], said: Mapping[str, T | None] | None) -> dict[str, T]:
    if said is None:
        return {}
    kept = {name: value for name, value in known.items() if name not in said}
    return kept | {name: value for name, value in said.items() if value is not None}

"""From what a browser sends to answers, and what it sent kept as it was typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rapport_runtime.pages import parse

from rapport_feedback.domain.definition import Choice, Definition, FreeText, Score
from rapport_feedback.domain.given import Answers, Flaw, Given, check

_PREFIX: Final = "q-"
_MOST_FIELDS: Final = 1_100
"""More than the longest survey has: 20 questions with 50 options each."""

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,15}")
"""Python takes `1_0` and digits of any script for numbers."""

Typed = Mapping[str, Sequence[str]]
"""By question id, as it was sent or preselected; personal."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that was sent."""

    typed: Typed = field(repr=False)
    answers: Answers | None
    flaws: tuple[Flaw, ...] = ()


def name_of(question: str) -> str:
    """Of the question's field."""
    return f"{_PREFIX}{question}"


def preselected(definition: Definition, score: str | None) -> int | None:
    """The score that somebody tapped in the message, if it is on the scale."""
    question, number = definition.score, None if score is None else _number(score)
    if question is None or number is None:
        return None
    low, high = question.bounds
    return number if low <= number <= high else None


def fill(definition: Definition, body: bytes) -> Filled:
    """Fields that no question asked for are passed over. Raises UnreadableFormError."""
    typed = _parse(body)
    scores: dict[str, int] = {}
    choices: dict[str, Sequence[str]] = {}
    texts: dict[str, str] = {}
    flaws: list[Flaw] = []
    for question in definition.questions:
        sent = [value for value in typed.get(question.id, ()) if value.strip()]
        match question:
            case _ if not sent:
                pass
            case Score():
                number = _number(sent[0]) if len(sent) == 1 else None
                if number is None:
                    flaws.append(Flaw("not_on_scale", question.id, question.bounds))
                else:
                    scores[question.id] = number
            case Choice():
                choices[question.id] = sent
            case FreeText():
                texts[question.id] = "\n".join(sent)
    checked = check(definition, Given(scores=scores, choices=choices, texts=texts))
    if isinstance(checked, Answers) and not flaws:
        return Filled(typed, checked)
    others = () if isinstance(checked, Answers) else checked
    return Filled(typed, None, _in_order(definition, flaws, others))


def _in_order(
    definition: Definition, unread: Sequence[Flaw], others: Sequence[Flaw]
) -> tuple[Flaw, ...]:
    """One for each question, in the order of the page; what could not be read was not missing."""
    told = {flaw.question: flaw for flaw in (*others, *unread)}
    order = {question.id: number for number, question in enumerate(definition.questions)}
    if unread:
        told.pop(None, None)
    return tuple(sorted(told.values(), key=lambda flaw: order.get(flaw.question or "", -1)))


def _parse(body: bytes) -> Typed:
    return {
        name.removeprefix(_PREFIX): values
        for name, values in parse(body, _MOST_FIELDS).items()
        if name.startswith(_PREFIX)
    }


def _number(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text.strip()) else None

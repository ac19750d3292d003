"""Questions as the page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapport_runtime.pages import Words

from rapport_feedback.domain.definition import Choice, Definition, FreeText, Question, Score
from rapport_feedback.domain.given import Flaw
from rapport_feedback.pages.form import Typed, name_of
from rapport_feedback.pages.words import Said, Tongue

_MOST_BUTTONS: Final = 11
"""A longer scale is a field for a number."""

_SHORT: Final = 2_000
"""Who may write more than this is not told how much."""

_UNSAID: Final = Said("")


@dataclass(frozen=True, slots=True)
class ShownOption:
    value: str
    text: Said
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownQuestion:
    """`kind`: scale, number, choice or text."""

    id: str
    name: str
    kind: str
    text: Said
    required: bool
    hint: str | None = None
    flaw: str | None = None
    options: Sequence[ShownOption] = ()
    multiple: bool = False
    low: Said = _UNSAID
    high: Said = _UNSAID
    least: int = 0
    most: int = 0
    typed: str = ""

    @property
    def described_by(self) -> list[str]:
        parts = {
            "hint": self.hint,
            "flaw": self.flaw,
            "ends": self.low.text or self.high.text,
        }
        return [f"{self.name}-{part}" for part, is_there in parts.items() if is_there]


def show(
    definition: Definition, tongue: Tongue, typed: Typed, flaws: Sequence[Flaw]
) -> list[ShownQuestion]:
    words = tongue.words
    said = {flaw.question: flaw_text(flaw, words) for flaw in flaws}
    return [
        _show(question, tongue, typed.get(question.id, ()), said.get(question.id))
        for question in definition.questions
    ]


def flaw_text(flaw: Flaw, words: Words) -> str:
    """What the customer is to do."""
    template = words[f"error_{flaw.code}"]
    match flaw.limits:
        case (low, high):
            return template.format(low=_number(low), high=_number(high))
        case (most,):
            return template.format(most=most)
        case _:
            return template


def _show(
    question: Question, tongue: Tongue, typed: Sequence[str], flaw: str | None
) -> ShownQuestion:
    match question:
        case Score():
            return _score(question, tongue, typed, flaw)
        case Choice():
            return _choice(question, tongue, typed, flaw)
        case FreeText():
            return _text(question, tongue, typed, flaw)


def _score(
    question: Score, tongue: Tongue, typed: Sequence[str], flaw: str | None
) -> ShownQuestion:
    low, high = question.bounds
    is_scale = high - low < _MOST_BUTTONS
    chosen = typed[0].strip() if typed else ""
    steps = range(low, high + 1) if is_scale else ()
    hint = tongue.words["from_to"].format(low=_number(low), high=_number(high))
    return ShownQuestion(
        id=question.id,
        name=name_of(question.id),
        kind="scale" if is_scale else "number",
        text=tongue.say(question.text),
        required=question.required,
        hint=None if is_scale else hint,
        flaw=flaw,
        options=[ShownOption(str(n), Said(_number(n)), str(n) == chosen) for n in steps],
        low=_end(question.low, tongue, None if is_scale else low),
        high=_end(question.high, tongue, None if is_scale else high),
        least=low,
        most=high,
        typed=chosen,
    )


def _end(texts: Mapping[str, str] | None, tongue: Tongue, number: int | None) -> Said:
    """What an end of the scale means; with its number, where that is not above it."""
    if texts is None:
        return _UNSAID
    said = tongue.say(texts)
    return said if number is None else said._replace(text=f"{_number(number)} = {said.text}")


def _choice(
    question: Choice, tongue: Tongue, typed: Sequence[str], flaw: str | None
) -> ShownQuestion:
    return ShownQuestion(
        id=question.id,
        name=name_of(question.id),
        kind="choice",
        text=tongue.say(question.text),
        required=question.required,
        hint=tongue.words["choose_several"] if question.multiple else None,
        flaw=flaw,
        options=[
            ShownOption(option.id, tongue.say(option.text), option.id in typed)
            for option in question.options
        ],
        multiple=question.multiple,
    )


def _text(
    question: FreeText, tongue: Tongue, typed: Sequence[str], flaw: str | None
) -> ShownQuestion:
    is_short = question.max <= _SHORT
    return ShownQuestion(
        id=question.id,
        name=name_of(question.id),
        kind="text",
        text=tongue.say(question.text),
        required=question.required,
        hint=tongue.words["up_to"].format(most=question.max) if is_short else None,
        flaw=flaw,
        most=question.max,
        typed="\n".join(typed),
    )


def _number(number: int) -> str:
    """With a true minus sign, which screen readers tell from a hyphen."""
    return str(number).replace("-", "\N{MINUS SIGN}")

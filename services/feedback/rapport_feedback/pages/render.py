"""The page in its states, as bytes and the headers that belong to them."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from rapport_runtime.pages import Site, Words

from rapport_feedback.definitions import read
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.given import Flaw
from rapport_feedback.pages.form import Typed, preselected
from rapport_feedback.pages.questions import ShownQuestion, flaw_text, show
from rapport_feedback.pages.words import LANGUAGES, Said, Tongue, words_in

_SITE: Final = Site(__package__)
_FORM: Final = _SITE.template("form.html")
_MESSAGE: Final = _SITE.template("message.html")


class Frame(NamedTuple):
    """What surrounds every state of the page."""

    tongue: Tongue
    brand: str

    @property
    def language(self) -> str:
        return self.tongue.page


@lru_cache(maxsize=256)
def blank(frame: Frame, document: str, score: int | None) -> str:
    """The questions of a stored definition: they are the same for everybody who opens a link."""
    definition = read(document)
    question = definition.score
    typed = {} if question is None or score is None else {question.id: [str(score)]}
    return form(frame, definition, typed)


def form(
    frame: Frame,
    definition: Definition,
    typed: Typed,
    flaws: tuple[Flaw, ...] = (),
    *,
    is_away: bool = False,
) -> str:
    """The questions, with what was typed. `is_away`: it could not be saved at this moment."""
    tongue, words = frame.tongue, frame.tongue.words
    questions = show(definition, tongue, typed, flaws)
    shown_by_id = {question.id: question for question in questions}
    told = [_told(flaw, words, shown_by_id.get(flaw.question or "")) for flaw in flaws]
    if is_away:
        told.insert(0, {"text": words["error_away"], "question": None})
    shown: dict[str, Any] = {
        "title": tongue.say(definition.title),
        "questions": questions,
        "flaws": told,
        "others": _others(definition, tongue),
        "score": _score(definition, typed),
        "says_optional": any(question.required for question in questions),
    }
    return _FORM.render(page=frame, words=words, form=shown)


def message(frame: Frame, state: str, said: Said | None = None) -> str:
    """`state`: thanks, answered, expired, erased, unknown, away. `said`: the survey's own words."""
    words = frame.tongue.words
    line = said or Said(words[f"{state}_text"])
    return _MESSAGE.render(page=frame, words=words, heading=words[f"{state}_title"], lines=[line])


def notice(frame: Frame, error: str) -> str:
    """What went wrong with a form that cannot be shown again."""
    words = frame.tongue.words
    return _MESSAGE.render(
        page=frame, words=words, heading=words["error_title"], lines=[Said(words[error])]
    )


respond: Final = _SITE.respond


def _told(flaw: Flaw, words: Words, question: ShownQuestion | None) -> dict[str, Any]:
    return {"text": flaw_text(flaw, words), "question": question}


def _score(definition: Definition, typed: Typed) -> int | None:
    """What was tapped, which a change of the language must not take back."""
    question = definition.score
    sent = [] if question is None else typed.get(question.id, [])
    return preselected(definition, sent[0]) if len(sent) == 1 else None


def _others(definition: Definition, tongue: Tongue) -> list[dict[str, str]]:
    """The languages that the page could be in as well."""
    known = {one.lower().partition("-")[0]: one for one in reversed(definition.languages)}
    return [
        {"tag": known[tag], "name": words_in(tag)["language"]}
        for tag in sorted(known)
        if tag in LANGUAGES and tag != tongue.survey.lower().partition("-")[0]
    ]

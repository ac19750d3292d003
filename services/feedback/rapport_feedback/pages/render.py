"""The page in its states, as bytes and the headers that belong to them."""

import base64
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from rapport_feedback.definitions import read
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.given import Flaw
from rapport_feedback.pages.form import Typed
from rapport_feedback.pages.questions import ShownQuestion, flaw_text, show
from rapport_feedback.pages.words import LANGUAGES, Said, Tongue, Words, words_in

_STYLE: Final = files(__package__).joinpath("style.css").read_text("utf-8").strip()
_STYLE_HASH: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "interest-cohort=()",
    "referrer-policy": "no-referrer",
    "vary": "accept-language",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


class Frame(NamedTuple):
    """What surrounds every state of the page."""

    tongue: Tongue
    brand: str

    @property
    def language(self) -> str:
        return self.tongue.page


def _template(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text("utf-8")


_ENVIRONMENT: Final = Environment(
    autoescape=True,
    undefined=StrictUndefined,
    loader=FunctionLoader(_template),
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.globals["style"] = Markup(_STYLE)  # noqa: S704 - our own file
_FORM: Final = _ENVIRONMENT.get_template("form.html")
_MESSAGE: Final = _ENVIRONMENT.get_template("message.html")


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


def respond(html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        html.encode(), status, {**HEADERS, **(headers or {})}, media_type="text/html; charset=utf-8"
    )


def _told(flaw: Flaw, words: Words, question: ShownQuestion | None) -> dict[str, Any]:
    return {"text": flaw_text(flaw, words), "question": question}


def _others(definition: Definition, tongue: Tongue) -> list[dict[str, str]]:
    """The languages that the page could be in as well."""
    known = {one.lower().partition("-")[0]: one for one in reversed(definition.languages)}
    return [
        {"tag": known[tag], "name": words_in(tag)["language"]}
        for tag in sorted(known)
        if tag in LANGUAGES and tag != tongue.survey.lower().partition("-")[0]
    ]

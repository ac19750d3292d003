"""The page behind a survey link. Public: whoever has the link may answer, once.

Opening it changes nothing, as scanners of mail open every link; only sending the form counts.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import structlog
from fastapi import APIRouter, Request, Response
from rapport_privacy.crypto import ERASED, DataKey, Erased
from rapport_privacy.keyring import KeyringUnavailableError
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pages import FormError, UnreadableFormError, read_form, wishes_of

from rapport_feedback.answering import AlreadyAnswered, Given, PersonErased, Recorded
from rapport_feedback.asked import Asked
from rapport_feedback.desk import Desk, desk_of
from rapport_feedback.domain.answer import NewAnswer
from rapport_feedback.domain.followup import terms_of
from rapport_feedback.domain.given import Answers
from rapport_feedback.pages import render
from rapport_feedback.pages.form import Filled, fill, preselected
from rapport_feedback.pages.render import Frame
from rapport_feedback.pages.words import choose
from rapport_feedback.tokens import read_token

PATH: Final = "/s/{token}"

router = APIRouter(include_in_schema=False)

State = Literal["open", "answered", "expired", "erased", "unknown", "away"]

_STATUS: Final = {"open": 200, "answered": 200, "expired": 410, "erased": 410, "unknown": 404}
_LONGEST_LOOK: Final = 5.0
"""Seconds; a database that hangs must not hold people for the driver's 35."""

_RETRY: Final = {"retry-after": "1"}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody with a link, and what there is behind it."""

    desk: Desk
    frame: Frame
    state: State
    key: DataKey | Erased
    found: Asked | None = None

    @property
    def asked(self) -> Asked:
        """For visits whose state is open."""
        assert self.found is not None  # noqa: S101 - for the type checker
        return self.found

    def message(self, status: int | None = None) -> Response:
        """What became of the survey."""
        if self.state == "away":
            return render.respond(render.message(self.frame, "away"), 503, _RETRY)
        return render.respond(render.message(self.frame, self.state), status or _STATUS[self.state])


async def _open(request: Request) -> Visit:
    """Without a look at the database for whoever has no link of ours."""
    desk = await desk_of(request)
    link = read_token(desk.keyring.mac_local, request.path_params["token"])
    found: Asked | None = None
    state: State = "unknown"
    key: DataKey | Erased = ERASED
    if link is not None:
        try:
            async with asyncio.timeout(_LONGEST_LOOK):
                found, key = await desk.looking.see(link.id)
            state = _state(found, key, link.expires)
        except (*WAITED_FOR, KeyringUnavailableError) as error:
            _require_environment(error)
            state = "away"
    wishes = wishes_of(
        request.query_params.get("lang"),
        None if found is None else found.language,
        request.headers.get("accept-language"),
    )
    tongue = choose(None if found is None else found.definition, wishes)
    return Visit(desk, Frame(tongue, desk.settings.brand), state, key, found)


def _state(asked: Asked | None, key: DataKey | Erased, expires: datetime) -> State:
    if asked is None:
        return "unknown"
    # The keyring knows of an erasure before the log has told of it.
    if isinstance(key, Erased):
        return "erased"
    now = datetime.now(UTC)
    standing = asked.standing(now)
    return "expired" if standing == "open" and expires <= now else standing


@router.api_route(PATH, methods=["GET", "HEAD"], summary="Show a survey")
async def read_survey(request: Request) -> Response:
    visit = await _open(request)
    if visit.state != "open":
        return visit.message()
    chosen = preselected(visit.asked.definition, request.query_params.get("score"))
    return render.respond(render.blank(visit.frame, visit.asked.document, chosen))


@router.post(PATH, summary="Answer a survey")
async def receive_answer(request: Request) -> Response:
    visit = await _open(request)
    if visit.state == "away":
        return render.respond(render.notice(visit.frame, "error_away"), 503, _RETRY)
    if visit.state != "open":
        return visit.message(409 if visit.state == "answered" else None)
    definition = visit.asked.definition
    try:
        filled = fill(definition, await read_form(request))
    except UnreadableFormError:
        return render.respond(render.notice(visit.frame, "error_unreadable"), 400)
    except FormError as error:
        return render.respond(render.notice(visit.frame, error.said), error.status, error.headers)
    if filled.answers is None:
        html = render.form(visit.frame, definition, filled.typed, filled.flaws)
        return render.respond(html, 422)
    return await _take(visit, filled, filled.answers)


async def _take(visit: Visit, filled: Filled, answers: Answers) -> Response:
    asked, frame, desk = visit.asked, visit.frame, visit.desk
    new = NewAnswer(
        survey=asked.survey,
        answers=answers,
        answered_at=datetime.now(UTC),
        via="web",
        language=frame.tongue.survey,
    )
    try:
        outcome = await desk.recording.record(Given(visit.key, new, terms_of(asked.definition)))
    except (*WAITED_FOR, KeyringUnavailableError) as error:
        _require_environment(error)
        html = render.form(frame, asked.definition, filled.typed, is_away=True)
        return render.respond(html, 503, _RETRY)
    match outcome:
        case Recorded():
            thanks = asked.definition.thanks
            said = None if thanks is None else frame.tongue.say(thanks)
            return render.respond(render.message(frame, "thanks", said))
        case AlreadyAnswered():
            return render.respond(render.message(frame, "answered"), 409)
        case PersonErased():
            return render.respond(render.message(frame, "erased"), 410)


def _require_environment(error: Exception) -> None:
    """A bug stays a bug."""
    if not isinstance(error, KeyringUnavailableError) and not is_environment(error):
        raise error
    _log.warning("survey page waits", reason=type(error).__name__)

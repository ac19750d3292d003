"""The page behind a link to somebody's preferences. Public: whoever has the link may use it.

Opening it changes nothing, as scanners of mail open every link; only sending a form counts, or
the one click of a mail program (RFC 8058).
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final, Literal

import structlog
from fastapi import APIRouter, Depends, Request, Response
from rapport_privacy.crypto import Erased
from rapport_privacy.keyring import KeyringUnavailableError
from rapport_runtime.database import driver
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pages import (
    FORM,
    FormError,
    UnreadableFormError,
    parse,
    read_form,
    spoken,
    wishes_of,
)
from rapport_runtime.people import read_persons

from rapport_personalization.desk import AtDesk, Desk
from rapport_personalization.domain import preferences
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.policies import DEFAULTS, Policies
from rapport_personalization.preferences import render
from rapport_personalization.preferences.form import MOST_FIELDS, STOP, fill, is_one_click
from rapport_personalization.preferences.known import load_known
from rapport_personalization.preferences.links import read_token
from rapport_personalization.preferences.render import LANGUAGES, Frame
from rapport_personalization.preferences.saying import Speaker, Wish, say
from rapport_personalization.rules import Rulebook

PATH: Final = "/p/{token}"

router = APIRouter(include_in_schema=False)

State = Literal["open", "expired", "erased", "unknown", "away"]

_STATUS: Final = {"expired": 410, "erased": 410, "unknown": 404, "away": 503}
_FORMS: Final = (FORM, "multipart/form-data")
"""Mail programs may send either."""

_RETRY: Final = {"retry-after": "1"}
_LONGEST_LOOK: Final = 5.0
"""Seconds; a database that hangs must not hold people for the driver's 35."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody with a link, and who they are to us. `known` and `policies`: of an open one."""

    desk: Desk
    frame: Frame
    state: State
    subject: str = ""
    known: Customer | None = None
    policies: Policies = DEFAULTS

    @property
    def customer(self) -> Customer:
        """For visits whose state is open."""
        assert self.known is not None  # noqa: S101 - for the type checker
        return self.known

    def message(self) -> Response:
        """Why there is nothing to choose."""
        headers = _RETRY if self.state == "away" else None
        return render.respond(render.message(self.frame, self.state), _STATUS[self.state], headers)

    def notice(self, error: FormError) -> Response:
        return render.respond(render.notice(self.frame, error.said), error.status, error.headers)

    def form(self, customer: Customer, status: int = 200, **more: Any) -> Response:  # noqa: ANN401
        """`more`: as `render.form` takes it."""
        before = preferences.standing(customer, self.policies)
        chosen = more.pop("chosen", before)
        html = render.form(
            self.frame,
            preferences.channels(customer),
            before,
            chosen,
            self.policies.languages,
            **more,
        )
        return render.respond(html, status, _RETRY if status == _STATUS["away"] else None)


async def _open(request: Request, token: str, desk: AtDesk) -> Visit:
    """Without a look at the database for whoever has no link of ours."""
    link = read_token(desk.keyring.mac_local, token)
    state: State = "unknown"
    customer, policies = None, DEFAULTS
    if link is not None:
        try:
            async with asyncio.timeout(_LONGEST_LOOK):
                customer, policies = await _look(request, desk, link.id)
        except (*WAITED_FOR, KeyringUnavailableError) as error:
            _require_environment(error)
            state = "away"
        else:
            state = _state(customer, link.expires)
    wishes = wishes_of(
        request.query_params.get("lang"),
        None if customer is None else customer.language,
        request.headers.get("accept-language"),
    )
    frame = Frame(spoken(wishes, LANGUAGES), desk.settings.brand)
    return Visit(desk, frame, state, "" if link is None else link.id, customer, policies)


async def _look(request: Request, desk: Desk, subject: str) -> tuple[Customer | None, Policies]:
    """None: erased. The keyring knows of it before the log has told."""
    rulebook: Rulebook = request.app.state.rulebook
    keys = await desk.keyring.keys_of([subject])
    async with desk.engine.connect() as tx:
        policies = await rulebook.policies(tx)
        person = (await read_persons(await driver(tx), [subject])).of(subject)
        if person.erased or isinstance(keys.get(subject), Erased):
            return None, policies
        return (await load_known(tx, [person]))[person.key], policies


def _state(customer: Customer | None, expires: datetime) -> State:
    if customer is None:
        return "erased"
    return "expired" if expires <= datetime.now(UTC) else "open"


OpenVisit = Annotated[Visit, Depends(_open)]


@router.api_route(PATH, methods=["GET", "HEAD"], summary="Show somebody's preferences")
async def read_preferences(visit: OpenVisit) -> Response:
    return visit.form(visit.customer) if visit.state == "open" else visit.message()


@router.post(PATH, summary="Change somebody's preferences, or unsubscribe them")
async def receive_preferences(request: Request, visit: OpenVisit) -> Response:
    if visit.state != "open":
        return visit.message()
    try:
        body = await read_form(request, _FORMS)
    except FormError as error:
        return visit.notice(error)
    if is_one_click(request.headers.get("content-type", ""), body):
        return await _unsubscribe(visit)
    try:
        return await _take(visit, body)
    except UnreadableFormError:
        return visit.notice(FormError(400))


async def _unsubscribe(visit: Visit) -> Response:
    wish = partial(preferences.refusal, channel="email")
    try:
        customer = await _say(visit, wish, "list-unsubscribe")
    except (*WAITED_FOR, KeyringUnavailableError) as error:
        _require_environment(error)
        return render.respond(render.message(visit.frame, "away"), 503, _RETRY)
    if customer is None:
        return render.respond(render.message(visit.frame, "erased"), 410)
    return render.respond(render.message(visit.frame, "unsubscribed"))


async def _take(visit: Visit, body: bytes) -> Response:
    """Raises UnreadableFormError."""
    fields = parse(body, MOST_FIELDS)
    chosen: preferences.Choices = {}
    if fields.get("do") == [STOP]:
        wish: Wish = partial(preferences.refusal, channel=None)
    else:
        offered = {
            preferences.LANGUAGE: visit.policies.languages,
            preferences.CHANNEL: preferences.channels(visit.customer),
        }
        filled = fill(fields, offered)
        chosen = filled.wished
        if filled.flaws:
            return visit.form(visit.customer, 422, chosen=chosen, flaws=filled.flaws)
        wish = partial(_changes, filled.before, chosen, visit.policies)
    try:
        customer = await _say(visit, wish, "preference-page")
    except (*WAITED_FOR, KeyringUnavailableError) as error:
        _require_environment(error)
        return visit.form(visit.customer, 503, chosen=chosen, is_away=True)
    if customer is None:
        return render.respond(render.message(visit.frame, "erased"), 410)
    return visit.form(customer, is_saved=True)


def _changes(
    before: preferences.Choices, wished: preferences.Choices, policies: Policies, known: Customer
) -> list[preferences.Fact]:
    return preferences.changes(before, wished, preferences.standing(known, policies))


async def _say(visit: Visit, wish: Wish, proof: str) -> Customer | None:
    given = {"proof": proof}
    if visit.desk.settings.preferences.policy_version is not None:
        given["policy_version"] = visit.desk.settings.preferences.policy_version
    async with visit.desk.engine.begin() as tx:
        return await say(tx, visit.subject, wish, datetime.now(UTC), Speaker("customer", given))


def _require_environment(error: Exception) -> None:
    """A bug stays a bug."""
    if not isinstance(error, KeyringUnavailableError) and not is_environment(error):
        raise error
    _log.warning("preference page waits", reason=type(error).__name__)

"""The rules by which comments are understood: read, replaced, tried, and applied to what was."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import View, answer

from rapport_feedback.api.asked import Reader as MayRead
from rapport_feedback.api.asked import Writer as MayWrite
from rapport_feedback.api.places import Place, read_place, write_place
from rapport_feedback.desk import AtDesk
from rapport_feedback.domain.comments import Match, Reader
from rapport_feedback.reclassify import reclassify
from rapport_feedback.rulebook import Rulebook, add_rulebook, load_rulebook, lock_rulebook
from rapport_feedback.schemas.comment_rules import (
    AskedTry,
    MatchView,
    RulesDocument,
    RulesView,
    TriedView,
)
from rapport_feedback.sentiment import find_sentiment, sound

router = APIRouter(prefix="/v1", tags=["comment rules"], route_class=JsonRoute)

_IfMatch = Annotated[
    str | None, Header(max_length=100, description="The ETag of the version that is replaced")
]

_AT_ONCE: Final = 2_000


class RulesChangedError(ApiError):
    """Somebody else replaced the rules meanwhile."""

    status_code = 412

    def __init__(self, version: int) -> None:
        super().__init__(
            f"the rules are at version {version} now, not at that of If-Match; read them again",
            members={"version": version},
        )


class AskedReclassify(BaseModel):
    """Which comments are read again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: AwareDatetime = Field(description="Answers from then on, RFC 3339")
    cursor: str | None = Field(
        default=None, max_length=2_048, description="`next_cursor` of the call before"
    )
    limit: int = Field(default=_AT_ONCE, ge=1, le=10_000, description="Comments for this call")


class ReclassifiedView(View):
    """What one call did. Call again with `next_cursor` until it is null."""

    version: int
    looked_at: int = Field(description="Comments that no person had classified")
    changed: int = Field(description="Of which the rules say something else now")
    erased: int = Field(description="That nobody can read any more")
    next_cursor: str | None


@router.get("/comment-rules", summary="Read the rules", responses={200: {"model": RulesView}})
async def read_rules(_: MayRead, desk: AtDesk) -> Response:
    return _answer(await load_rulebook(desk.pool))


@router.put(
    "/comment-rules",
    summary="Replace the rules by a new version",
    responses={200: {"model": RulesView}},
)
async def receive_rules(
    principal: MayWrite, desk: AtDesk, document: RulesDocument, if_match: _IfMatch = None
) -> Response:
    async with desk.engine.begin() as tx:
        known = await lock_rulebook(tx)
        if if_match not in {None, "*", _etag(known)}:
            raise RulesChangedError(known.version)
        if known.document != document:
            known = await add_rulebook(tx, known.version + 1, document, principal.name)
    return _answer(known)


@router.post(
    "/comment-rules:try",
    summary="See what the rules make of a comment",
    responses={200: {"model": TriedView}},
)
async def receive_try(_: MayRead, desk: AtDesk, asked: AskedTry) -> Response:
    known = await load_rulebook(desk.pool) if asked.rules is None else None
    reader = known.reader if known is not None else _reader(asked.rules)
    found = reader.matches(asked.text, asked.language)
    said = reader.conclude(found, asked.about)
    return answer(
        TriedView(
            version=None if known is None else known.version,
            about=said.about,
            topics=list(said.topics),
            sentiment=sound(asked.text, asked.language, find_sentiment()),
            matches=[_match(reader, one) for one in found],
        )
    )


@router.post(
    "/comment-rules:reclassify",
    summary="Read comments again by the rules of now",
    responses={200: {"model": ReclassifiedView}},
)
async def receive_reclassify(_: MayWrite, desk: AtDesk, asked: AskedReclassify) -> Response:
    query = f"reclassify {asked.since.isoformat()}"
    after: Place = (asked.since, "")
    if asked.cursor is not None:
        after = read_place(asked.cursor, query)
    done = await reclassify(desk, after, asked.limit)
    return answer(
        ReclassifiedView(
            version=done.version,
            looked_at=done.looked_at,
            changed=done.changed,
            erased=done.erased,
            next_cursor=done.after and write_place(done.after, query),
        )
    )


def _reader(document: RulesDocument | None) -> Reader:
    return Reader.of((document or RulesDocument()).rules(0))


def _match(reader: Reader, match: Match) -> MatchView:
    return MatchView(**match._asdict(), counted=reader.is_counted(match))


def _answer(known: Rulebook) -> Response:
    view = RulesView(
        version=known.version,
        created_at=known.created_at,
        created_by=known.created_by,
        rules=known.document,
    )
    # As a whole: whoever edits it sends it back, and what is left out is as good as said.
    body = view.model_dump_json(by_alias=True)
    return Response(body, headers={"etag": _etag(known)}, media_type="application/json")


def _etag(known: Rulebook) -> str:
    return f'"comments@{known.version}"'

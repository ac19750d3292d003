"""Reading what customers answered, and saying what it is about."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import next_link
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import answer

from rapport_feedback.api.asked import PatientReader, Writer, check_filters, customer_of, standing
from rapport_feedback.api.places import read_place, write_place
from rapport_feedback.classify import Cause, lock_answers, publish, say
from rapport_feedback.desk import AtDesk
from rapport_feedback.domain.comments import Classification
from rapport_feedback.reading import load_answer, load_answers, open_answers
from rapport_feedback.schemas.feedback import (
    AskedClassification,
    ClassificationView,
    ClassifiedView,
    FeedbackPage,
    FeedbackQuery,
)
from rapport_feedback.views import Mask, classification_view, feedback_view

router = APIRouter(prefix="/v1", tags=["feedback"], route_class=JsonRoute)

_Survey = Annotated[str, Path(min_length=1, max_length=256, description="Of the answer")]


class AnswerNotFoundError(ApiError):
    """Nobody answered this survey."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__("no answer to this survey is known; GET /v1/feedback lists those that are")


@router.get("/feedback", summary="List answers", responses={200: {"model": FeedbackPage}})
async def read_feedback(
    request: Request,
    principal: PatientReader,
    desk: AtDesk,
    query: Annotated[FeedbackQuery, Query()],
) -> Response:
    check_filters(query)
    named = query.model_dump_json(exclude={"cursor", "limit"})
    before = None if query.cursor is None else read_place(query.cursor, named)
    customer = await customer_of(desk, query.customer)
    meta = await standing(desk.pool)
    rows = await load_answers(desk.pool, query, customer, before, query.limit + 1)
    mask = Mask("feedback[]", sees_personal=principal.has("profile:pii"))
    filed = await open_answers(desk.keyring, rows[: query.limit], sees_personal=mask.sees_personal)
    shown = [feedback_view(one, mask) for one in filed]
    following = write_place(filed[-1].place, named) if len(rows) > query.limit else None
    meta.masked, meta.erased = sorted(mask.masked), sorted(mask.erased)
    page = FeedbackPage(feedback=shown, next_cursor=following, meta=meta)
    return answer(page, None if following is None else next_link(request, following))


@router.post(
    "/feedback/{survey:path}:classify",
    summary="Say what an answer is about",
    responses={200: {"model": ClassifiedView}},
)
async def receive_classification(
    principal: Writer, desk: AtDesk, survey: _Survey, asked: AskedClassification
) -> Response:
    async with desk.engine.begin() as tx:
        await lock_answers(tx, [survey])
        row = await load_answer(await driver(tx), survey)
        if row is None:
            raise AnswerNotFoundError
        known = Classification(
            about=row["said_about"], topics=tuple(row["topics"] or ()), sentiment=row["sentiment"]
        )
        wanted = _meant(asked, known)
        if row["by"] == "person" and wanted == known:
            return answer(ClassifiedView(survey=survey, classification=classification_view(row)))
        now = datetime.now(UTC)
        cause = Cause(survey, row["event_key"], row["event_id"], row["customer"])
        # Said again after something else it is a word of its own.
        rule = f"classify person {now.isoformat()}"
        word = say(cause, rule, now, "person", wanted, agent=principal.name)
        await outbox.add(tx, await publish(tx, [word]))
    view = ClassificationView(
        about=wanted.about,
        topics=list(wanted.topics),
        sentiment=wanted.sentiment,
        by="person",
        agent=principal.name,
        at=now,
        definition=None,
    )
    return answer(ClassifiedView(survey=survey, classification=view))


def _meant(asked: AskedClassification, known: Classification) -> Classification:
    said = asked.model_fields_set
    return Classification(
        about=asked.about if "about" in said else known.about,
        topics=tuple(dict.fromkeys(asked.topics)) if "topics" in said else known.topics,
        sentiment=asked.sentiment if "sentiment" in said else known.sentiment,
    )

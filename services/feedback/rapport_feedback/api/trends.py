"""How answers to a survey develop, and how many of those who were asked answer."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple

import orjson
from fastapi import APIRouter, Path, Query, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Snapshot, snapshot

from rapport_feedback.api.asked import BadFilterError, PatientReader, check_instants, standing
from rapport_feedback.desk import AtDesk
from rapport_feedback.domain.definition import COMMENT
from rapport_feedback.domain.trends import summarise
from rapport_feedback.domain.windows import MOST, next_start, starts
from rapport_feedback.schemas.trends import (
    QuestionView,
    RatesView,
    RateView,
    SpanQuery,
    TrendsQuery,
    TrendsView,
    WindowView,
)

router = APIRouter(prefix="/v1/surveys", tags=["surveys"], route_class=JsonRoute)

_Id = Annotated[str, Path(max_length=64, description="Of the definition, without its version")]

_SPAN: Final = timedelta(days=90)

_VERSIONS: Final = """
SELECT version, document::text AS document FROM survey_definition WHERE id = $1 ORDER BY version
"""

_COUNTS: Final = """
WITH told AS (
    SELECT date_trunc($4, answered_at, 'UTC') AS start, score, scores, choices, has_comment
    FROM answer
    WHERE is_current AND definition = ANY($1::text[]) AND answered_at >= $2 AND answered_at < $3
)
SELECT start, NULL AS question, 'score' AS type, score::text AS given, count(*) AS count
FROM told WHERE score IS NOT NULL GROUP BY start, score
UNION ALL
SELECT start, each.key, 'score', each.value, count(*)
FROM told, jsonb_each_text(scores) AS each GROUP BY start, each.key, each.value
UNION ALL
SELECT start, each.key, 'choice', option, count(*)
FROM told, jsonb_each(choices) AS each, jsonb_array_elements_text(each.value) AS option
GROUP BY start, each.key, option
UNION ALL
SELECT start, each.key, 'chosen', '', count(*)
FROM told, jsonb_each(choices) AS each GROUP BY start, each.key
UNION ALL
SELECT start, 'comment', 'text', '', count(*) FROM told WHERE has_comment GROUP BY start
"""

_RATES: Final = """
SELECT i.state, i.reason, i.channel, count(*) AS asked, count(a.survey) AS answered
FROM invitation i
LEFT JOIN answer a ON a.survey = i.survey AND a.is_current
WHERE i.definition = $1 AND coalesce(i.decided_at, i.due_at) >= $2
    AND coalesce(i.decided_at, i.due_at) < $3
GROUP BY i.state, i.reason, i.channel
ORDER BY i.state, i.reason, i.channel
"""

_UNINVITED: Final = """
SELECT count(*) FROM answer a
WHERE a.is_current AND a.definition = ANY($1::text[]) AND a.answered_at >= $2 AND a.answered_at < $3
    AND NOT EXISTS (SELECT FROM invitation i WHERE i.survey = a.survey)
"""


class NoSuchSurveyError(ApiError):
    """There is no definition of this id."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(
            "there is no survey of this id; GET /v1/surveys lists those that there are"
        )


class _Key(NamedTuple):
    question: str | None
    """None: the score of the survey, whatever its question is called in a version."""
    type: str


_Counts = Mapping[datetime, Mapping[str, int]]


@router.get(
    "/{survey}/trends", summary="Read how answers develop", responses={200: {"model": TrendsView}}
)
async def read_trends(
    _: PatientReader, desk: AtDesk, survey: _Id, query: Annotated[TrendsQuery, Query()]
) -> Response:
    start, end = _span(query)
    windows = list(starts(start, end, query.grain))
    if len(windows) > MOST:
        raise BadFilterError("grain", f"more than {MOST} windows; take a coarser one")
    async with snapshot(desk.pool) as snap:
        versions = await _versions(snap, survey)
        names = [f"{survey}@{version}" for version, _ in versions]
        rows = await snap.fetch(_COUNTS, names, start, end, query.grain)
        meta = await standing(snap)
    found: dict[_Key, dict[datetime, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        found[_Key(row["question"], row["type"])][row["start"]][row["given"]] = row["count"]
    newest = versions[-1][1]
    edges = [(one, next_start(one, query.grain)) for one in windows]
    return answer(
        TrendsView(
            survey=survey,
            kind=newest["kind"],
            grain=query.grain,
            questions=[
                _question(question, newest["kind"], found, edges, is_score=is_score)
                for question, is_score in _questions([document for _, document in versions])
            ],
            meta=meta,
        )
    )


@router.get("/{survey}/rates", summary="Read who answers", responses={200: {"model": RatesView}})
async def read_rates(
    _: PatientReader, desk: AtDesk, survey: _Id, query: Annotated[SpanQuery, Query()]
) -> Response:
    start, end = _span(query)
    async with snapshot(desk.pool) as snap:
        names = [f"{survey}@{version}" for version, _ in await _versions(snap, survey)]
        rows = await snap.fetch(_RATES, survey, start, end)
        uninvited = await snap.fetchval(_UNINVITED, names, start, end)
        meta = await standing(snap)
    sent = [row for row in rows if row["state"] == "sent"]
    reasons: dict[str, int] = defaultdict(int)
    for row in rows:
        if row["state"] == "not_invited":
            reasons[row["reason"] or "unknown"] += row["asked"]
    invited = sum(row["asked"] for row in sent)
    waiting = sum(row["asked"] for row in rows if row["state"] == "waiting")
    view = RatesView(
        survey=survey,
        start=start,
        end=end,
        eligible=invited + waiting + sum(reasons.values()),
        invited=invited,
        answered=sum(row["answered"] for row in sent),
        waiting=waiting,
        not_invited=dict(reasons),
        channels=[
            RateView(channel=row["channel"], invited=row["asked"], answered=row["answered"])
            for row in sent
        ],
        uninvited_answers=uninvited,
        meta=meta,
    )
    return answer(view)


def _span(query: SpanQuery) -> tuple[datetime, datetime]:
    """Raises BadFilterError."""
    check_instants(query.start, query.end)
    end = query.end or datetime.now(UTC)
    start = query.start or end - _SPAN
    if start >= end:
        raise BadFilterError("from", "lies at or after `to`; it is the first instant that counts")
    return start, end


async def _versions(snap: Snapshot, survey: str) -> list[tuple[int, dict[str, Any]]]:
    """Raises NoSuchSurveyError."""
    rows = await snap.fetch(_VERSIONS, survey)
    if not rows:
        raise NoSuchSurveyError
    return [(row["version"], orjson.loads(row["document"])) for row in rows]


def _questions(documents: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], bool]]:
    """Those of the newest version first, then what was asked once; the score is one question."""
    found: dict[str, tuple[Mapping[str, Any], bool]] = {}
    for document in reversed(documents):
        scores = [one["id"] for one in document["questions"] if one["type"] == "score"]
        for question in document["questions"]:
            is_score = question["id"] in scores[:1]
            if not (is_score and any(was for _, was in found.values())):
                found.setdefault(question["id"], (question, is_score))
    return list(found.values())


def _question(
    question: Mapping[str, Any],
    kind: str,
    found: Mapping[_Key, _Counts],
    edges: Sequence[tuple[datetime, datetime]],
    *,
    is_score: bool,
) -> QuestionView:
    name, type_ = question["id"], question["type"]
    counts = found.get(_Key(None if is_score else name, type_), {})
    windows = []
    for start, end in edges:
        given = counts.get(start, {})
        if type_ == "score":
            scores = {int(score): count for score, count in given.items()}
            said = summarise(scores, kind if is_score else None)
            windows.append(WindowView.of_scores(start, end, scores, said))
        else:
            chosen = found.get(_Key(name, "chosen" if type_ == "choice" else "text"), {})
            is_known = type_ == "choice" or name == COMMENT
            n = chosen.get(start, {}).get("", 0) if is_known else None
            windows.append(_plain(start, end, given, n))
    return QuestionView(question=name, type=type_, is_score=is_score, windows=windows)


def _plain(start: datetime, end: datetime, given: Mapping[str, int], n: int | None) -> WindowView:
    """Words are counted, not read."""
    options = {option: given[option] for option in sorted(given) if option}
    return WindowView(
        start=start, end=end, n=n, distribution=options, mean=None, nps=None, top_box=None
    )

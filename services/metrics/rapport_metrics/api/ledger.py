"""What changed in published days, and why."""

from datetime import UTC, datetime
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import MOST, decode_cursor, encode_cursor, next_link
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Pool, snapshot
from rapport_runtime.standing import load_progress

from rapport_metrics.api.asking import find_kpi
from rapport_metrics.api.kpis import Reader, standing
from rapport_metrics.consumer import PROJECTOR
from rapport_metrics.domain.catalogue import Kpi, kpis_of
from rapport_metrics.schemas import LedgerView, RestatementView

router = APIRouter(prefix="/v1", tags=["kpis"], route_class=JsonRoute)

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)

_LIST: Final = """
SELECT restatement.id, restatement.at, metric, day, restatement.num, restatement.den, causes,
    kinds::text, coalesce(published.num, 0), coalesce(published.den, 0)
FROM restatement LEFT JOIN published USING (metric, day)
WHERE restatement.at >= $1 AND restatement.id > $3
    AND ($2::text[] IS NULL OR metric = ANY($2) OR starts_with(split_part(metric, '@', 2), $5))
ORDER BY restatement.id LIMIT $4
"""


class NoLedgerError(ApiError):
    """The KPI counts persons, of whom nothing is published."""

    status_code = 422

    def __init__(self, kpi: str) -> None:
        reason = (
            f"{kpi} counts persons, by what is known of them now: its days are not published,"
            " so no list says what changed in them"
        )
        super().__init__(
            f"kpi: {reason}", errors=[FieldError("/kpi", reason, "no_ledger", "query")]
        )


class LedgerQuery(BaseModel):
    """The query string of the ledger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: AwareDatetime = _BEGINNING
    kpi: str | None = Field(default=None, max_length=64)
    cursor: str | None = Field(default=None, max_length=2_048)
    limit: int = Field(default=50, ge=1, le=MOST)


@router.get(
    "/restatements",
    summary="List what changed in published days",
    responses={200: {"model": LedgerView}},
)
async def read_ledger(
    request: Request, _: Reader, query: Annotated[LedgerQuery, Query()]
) -> Response:
    metrics = None if query.kpi is None else _metrics(find_kpi(query.kpi))
    place = f"restatements {query.since} {query.kpi}"
    after = int(decode_cursor(query.cursor, place, length=1)[0]) if query.cursor else 0
    pool: Pool = request.app.state.pool
    async with snapshot(pool) as snap:
        progress = await load_progress(snap, PROJECTOR)
        versions = f"{query.kpi}."
        rows = await snap.fetch(_LIST, query.since, metrics, after, query.limit + 1, versions)
    page = rows[: query.limit]
    following = encode_cursor([page[-1][0]], place) if len(rows) > query.limit else None
    return answer(
        LedgerView(
            restatements=[_restatement(row) for row in page],
            next_cursor=following,
            meta=standing(progress),
        ),
        None if following is None else next_link(request, following),
    )


def _metrics(kpi: Kpi) -> list[str]:
    """Raises NoLedgerError."""
    if kpi.shape == "persons":
        raise NoLedgerError(kpi.id)
    return sorted(kpi.metrics)


def _kpis(metric: str) -> list[str]:
    """A version's totals are of its own KPI alone."""
    name, _, definition = metric.partition("@")
    return [definition.partition(".")[0]] if definition else kpis_of(name)


def _restatement(row: tuple[object, ...]) -> RestatementView:
    id_, at, metric, day, num, den, causes, kinds, first_num, first_den = row
    return RestatementView.model_validate(
        {
            "id": id_,
            "at": at,
            "metric": metric,
            "kpis": _kpis(str(metric)),
            "day": day,
            "num": num,
            "den": den,
            "first_published": {"num": first_num, "den": first_den},
            "causes": [key.hex() for key in causes],  # type: ignore[attr-defined]
            "kinds": orjson.loads(str(kinds)),
        }
    )

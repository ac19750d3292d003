"""The pieces that all answers are made of."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from rapport_runtime.http.consistency import as_document
from rapport_runtime.standing import Progressed, lag_ms


def rfc3339(instant: datetime) -> str:
    """UTC with milliseconds, as every time in our answers."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class View(BaseModel):
    """What an answer is made of. Nothing checks it twice: it is built, dumped and gone."""

    model_config = ConfigDict(extra="forbid")


class Standing(View):
    """How current an answer is."""

    position: dict[str, dict[str, int]] = Field(
        description="Topic to partition to the offset of the next event: all before it is in here",
        examples=[{"rapport.interactions.v1": {"0": 4711}}],
    )
    lag_ms: int = Field(description="How far the answer is behind the log, in milliseconds")
    projection_version: str = Field(examples=["metrics.v1"])

    @classmethod
    def of(cls, progress: Sequence[Progressed], projector: str, now: datetime) -> "Standing":
        return cls(
            position=as_document({(p.topic, p.partition): p.next_offset for p in progress}),
            lag_ms=max((lag_ms(one, now) for one in progress), default=0),
            projection_version=projector,
        )


def answer(view: BaseModel, headers: Mapping[str, str] | None = None) -> Response:
    """The view as JSON; what was not set is left out."""
    body = view.model_dump_json(exclude_unset=True, by_alias=True)
    return Response(body, headers=headers, media_type="application/json")

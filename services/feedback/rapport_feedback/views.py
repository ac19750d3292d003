"""Answers and follow-ups as the outside sees them, with what is held back named."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
from rapport_privacy.crypto import Erased

from rapport_feedback.reading import Filed
from rapport_feedback.schemas.feedback import (
    AnswerLoopView,
    ClassificationView,
    ErasedView,
    FeedbackView,
    UnreadableView,
)
from rapport_feedback.sealing import Personal, Unreadable


class Mask:
    """What was written goes through here; names are places in the answer: `feedback[].comment`."""

    def __init__(self, place: str, *, sees_personal: bool) -> None:
        self.sees_personal: Final = sees_personal
        self.masked: set[str] = set()
        self.erased: set[str] = set()
        self._place = place

    def part(self, name: str, personal: Personal | None, *, is_there: bool) -> Any:  # noqa: ANN401 - any JSON value
        """One personal field. `is_there`: whether it was written at all, so far as is known."""
        place = f"{self._place}.{name}"
        if personal is None and is_there and not self.sees_personal:
            self.masked.add(place)
        if isinstance(personal, Erased):
            self.erased.add(place)
            return ErasedView(erased=True)
        if isinstance(personal, Unreadable):
            return UnreadableView(unreadable=True)
        return personal.get(name) if isinstance(personal, Mapping) else None


def feedback_view(filed: Filed, mask: Mask) -> FeedbackView:
    row = filed.row
    is_sealed = row["sealed"] is not None
    return FeedbackView(
        survey=row["survey"],
        revision=row["revision"],
        definition=row["definition"],
        kind=row["kind"],
        about=row["about"],
        asked_about=row["asked_about"],
        customer=row["customer"],
        answered_at=row["answered_at"],
        score=row["score"],
        scores=filed.json("scores"),
        choices=filed.json("choices"),
        has_comment=row["has_comment"],
        comment=mask.part("comment", filed.personal, is_there=row["has_comment"]),
        texts=mask.part("texts", filed.personal, is_there=is_sealed),
        channel=row["channel"],
        language=row["language"],
        ticket=row["ticket"],
        order=row["order"],
        agent=row["agent"],
        team=row["team"],
        classification=classification_view(row),
        loop=_loop(row),
    )


def classification_view(row: asyncpg.Record) -> ClassificationView | None:
    if row["by"] is None:
        return None
    at: datetime = row["classified_at"]
    return ClassificationView(
        about=row["said_about"],
        topics=list(row["topics"]),
        sentiment=row["sentiment"],
        by=row["by"],
        agent=row["said_agent"],
        at=at,
        definition=row["said_definition"],
    )


def _loop(row: asyncpg.Record) -> AnswerLoopView | None:
    if row["loop"] is None:
        return None
    return AnswerLoopView(
        loop=row["loop"],
        state=row["state"],
        owner=row["owner"],
        due_at=row["due_at"],
        outcome=row["outcome"],
        informed=row["informed"],
    )

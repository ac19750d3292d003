"""What an agent says to a suggestion: taken once, and told to everybody."""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.http.problems import ApiError
from rapport_runtime.people import lock_persons
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_personalization import suggested
from rapport_personalization.suggested import Row

Answer = Literal["accepted", "dismissed"]


class SuggestionNotFoundError(ApiError):
    """Nothing was suggested under this id."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(
            "nothing was suggested under this id, or the customer was erased;"
            " GET /v1/customers/{ref}/next-actions lists what is, a moment after it came about"
        )


class SuggestionAnsweredError(ApiError):
    """Somebody has answered it otherwise."""

    status_code = 409

    def __init__(self, row: Row) -> None:
        why = "" if row.reason is None else f" ({row.reason})"
        super().__init__(
            f"the suggestion was {row.state}{why} before; an answer is not changed, and the same"
            " occasion comes again after a while",
            members={"state": row.state},
        )


async def settle(
    engine: AsyncEngine, id_: str, answer: Answer, reason: str | None, agent: str, now: datetime
) -> Row:
    """The suggestion after the answer; the same answer again changes nothing.

    One that was withdrawn meanwhile can be answered: whoever did it made it go away.
    Raises SuggestionNotFoundError, SuggestionAnsweredError.
    """
    async with engine.begin() as tx:
        connection = await driver(tx)
        before = (await suggested.load_rows(connection, (), [id_])).get(id_)
        if before is None:
            raise SuggestionNotFoundError
        people = await lock_persons(tx, [before.subject])
        row = (await suggested.load_rows(connection, (), [id_])).get(id_)
        if row is None or row.subject != before.subject:
            # Erased, or given to somebody else, a moment ago.
            raise SuggestionNotFoundError
        if row.state in {"accepted", "dismissed"}:
            if (row.state, row.reason) != (answer, reason):
                raise SuggestionAnsweredError(row)
            return row
        said = replace(
            row,
            subject=people.of(row.subject).key,
            state=answer,
            settled_at=now,
            settled_by=agent,
            reason=reason,
        )
        await suggested.put(tx, [said])
        await outbox.add(tx, [suggested.answered(said, now)])
    return said

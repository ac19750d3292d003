"""Follow-ups of a feedback service, as colleagues see and close them."""

from datetime import datetime, timedelta
from typing import Any

from tests.support.feedback_house import House


async def loops(house: House, caller: str = "reader") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.read("/v1/loops", caller))["loops"]
    return found


async def the_loop(house: House, caller: str = "reader") -> dict[str, Any]:
    (one,) = await loops(house, caller)
    same = (await house.read(f"/v1/loops/{one['loop']}", caller))["loop"]
    assert same == one
    return one


async def act(house: House, what: str, of: str | None = None, **body: object) -> dict[str, Any]:
    name = next(one["loop"] for one in await loops(house) if of is None or one["survey"] == of)
    answer = await house.post(f"/v1/loops/{name}:{what}", body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def make_overdue(house: House, survey: str) -> None:
    async with house.resources.engine.begin() as tx:
        await tx.exec_driver_sql(
            "UPDATE loop SET due_at = due_at - interval '9 days', remind_at = remind_at "
            "- interval '9 days' WHERE survey = $1",
            (survey,),
        )


def due_in(loop: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(loop["due_at"]) - datetime.fromisoformat(loop["opened_at"])

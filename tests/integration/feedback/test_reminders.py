"""Follow-ups that nobody looks after, and those whose customer is gone."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from rapport_feedback.reminders import remind_once
from rapport_runtime import outbox
from rapport_runtime.contract import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.feedback.conftest import Open
from tests.support.answers import facts, somebody
from tests.support.feedback_house import House
from tests.support.loops import act, loops, make_overdue, the_loop
from tests.support.surveys import in_customers


async def test_owners_of_overdue_follow_ups_are_reminded_until_they_are_closed(
    opened: Open,
) -> None:
    async with opened(loop={"due_hours": 2, "remind_hours": 3}) as house:
        survey = await (await somebody(house)).answer(2)
        start = datetime.now(UTC)

        reminded = []
        for hours in (1, 3, 4, 6.5, 10):
            now = start + timedelta(hours=hours)
            reminded.append(await remind_once(house.resources, house.settings.loop, now))
        await act(house, "close", outcome="solved", informed=True)
        late = await remind_once(house.resources, house.settings.loop, start + timedelta(hours=99))

        assert (reminded, late) == ([0, 1, 0, 1, 1], 0)
        told = await facts(house, "loop.reminded")
        assert [one.data.reminder for one in told] == [1, 2, 3]
        assert {(one.data.survey, one.data.owner) for one in told} == {(survey, "care")}
        assert len({one.envelope.id for one in told}) == 3
        assert (await the_loop(house))["reminders"] == 3


async def test_many_reminders_at_once_remind_once(house: House) -> None:
    for _ in range(30):
        survey = await (await somebody(house)).answer(1)
        await make_overdue(house, survey)
    now = datetime.now(UTC)

    async with asyncio.TaskGroup() as group:
        rounds = [
            group.create_task(remind_once(house.resources, house.settings.loop, now))
            for _ in range(6)
        ]

    assert sum(one.result() for one in rounds) == 30
    told = await facts(house, "loop.reminded")
    assert len({one.data.loop for one in told}) == len(told) == 30


async def test_who_dies_while_reminding_says_the_same_when_it_is_back(house: House) -> None:
    survey = await (await somebody(house)).answer(1)
    await make_overdue(house, survey)
    now = datetime.now(UTC)
    said: list[str] = []

    class DiedError(Exception):
        pass

    async def add(_tx: AsyncConnection, derived: Sequence[Derived]) -> None:
        said.extend(str(outbox.derived_id(one.cause, one.rule)) for one in derived)
        raise DiedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rapport_feedback.reminders.outbox.add", add)
        with pytest.raises(DiedError):
            await remind_once(house.resources, house.settings.loop, now)
    assert await facts(house, "loop.reminded") == []
    await remind_once(house.resources, house.settings.loop, now)

    assert [one.envelope.id for one in await facts(house, "loop.reminded")] == said


async def test_an_erased_customer_is_not_followed_up_but_still_counted(house: House) -> None:
    ada, bob = await somebody(house), await somebody(house)
    open_one, closed_one = await ada.answer(1), await ada.answer(2)
    await act(house, "close", of=closed_one, outcome="solved", informed=True, note="Ada is happy")
    of_bob = await bob.answer(1)
    await make_overdue(house, open_one)

    await house.keyring.erase([ada.subject], certificate_id="c-1")
    await house.tell(in_customers("customer.erased", ada.subject, certificate_id="c-1"))

    found = {one["survey"]: one for one in await loops(house, "desk")}
    gone, over, other = found[open_one], found[closed_one], found[of_bob]
    assert (gone["customer"], gone["state"], gone["outcome"]) == (None, "closed", "erased")
    assert (over["customer"], over["outcome"], over["note"]) == (None, "solved", None)
    assert (other["customer"], other["state"]) == (bob.subject, "open")
    far = datetime.now(UTC) + timedelta(days=9)
    assert await remind_once(house.resources, house.settings.loop, far) == 1


async def test_what_was_closed_is_not_opened_again_by_an_older_backup(house: House) -> None:
    ada = await somebody(house)
    await ada.answer(2)
    await act(house, "close", outcome="solved", informed=True)
    told = [one.record for one in await facts(house, "loop.closed")]
    async with house.resources.engine.begin() as tx:
        await tx.exec_driver_sql("UPDATE loop SET state = 'open', outcome = NULL, informed = NULL")

    await house.tell(*told)

    loop = await the_loop(house)
    assert (loop["state"], loop["outcome"], loop["informed"]) == ("closed", "solved", True)

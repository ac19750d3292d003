"""People who write triggers: drafts, versions, and what is in force."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.support.events import NOON, happened
from tests.support.personalization_house import Callers, House
from tests.support.privacy import an_email

DAY = timedelta(days=1)

THANKS = """# Says thank you.
id: hello
rank: 5
kind: service
on: {event: order.placed, key: order}
delay: 1h
channels: [email]
template: thanks
"""


@dataclass
class Office:
    """Where triggers are written."""

    house: House
    callers: Callers

    async def ask(
        self,
        method: str,
        path: str,
        caller: str = "marketer",
        **more: Any,  # noqa: ANN401 - of the client
    ) -> httpx2.Response:
        headers = {
            "authorization": f"Bearer {self.callers.keys[caller]}",
            **more.pop("headers", {}),
        }
        return await self.house.client.request(method, path, headers=headers, **more)

    async def put(self, text: str, caller: str = "marketer", id_: str = "hello") -> httpx2.Response:
        headers = {"content-type": "application/yaml"}
        return await self.ask("PUT", f"/v1/triggers/{id_}", caller, content=text, headers=headers)

    async def step(self, version: int, name: str) -> httpx2.Response:
        return await self.ask("POST", f"/v1/triggers/hello/versions/{version}:{name}")


@pytest.fixture
def office(house: House, callers: Callers) -> Office:
    return Office(house, callers)


async def test_a_trigger_goes_from_draft_over_shadow_to_live_and_pauses(office: Office) -> None:
    drafted = await office.put(THANKS)
    states = [
        (await office.step(1, name)).json()["state"] for name in ("shadow", "go-live", "pause")
    ]

    assert (drafted.status_code, drafted.json()["state"]) == (201, "draft")
    assert drafted.json()["source"] == THANKS
    assert states == ["shadow", "live", "paused"]
    assert (await office.step(1, "go-live")).json()["state"] == "live"
    assert (await office.step(1, "retire")).json()["state"] == "retired"
    refused = await office.step(1, "go-live")
    assert (refused.status_code, refused.json()["code"]) == (409, "trigger_state")


async def test_an_edit_is_the_next_version_and_the_same_again_is_none(office: Office) -> None:
    await office.put(THANKS)
    again = await office.put(THANKS)
    await office.step(1, "go-live")
    since = (await office.ask("GET", "/v1/triggers/hello")).json()["since"]

    edited = await office.put(THANKS.replace("1h", "2h"))
    shadowed = await office.step(2, "shadow")
    live = await office.step(2, "go-live")

    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert (edited.status_code, edited.json()["version"], edited.json()["state"]) == (
        201, 2, "draft",
    )  # fmt: skip
    assert (shadowed.status_code, shadowed.json()["code"]) == (409, "other_version_live")
    assert (live.json()["state"], live.json()["since"]) == ("live", since)
    versions = (await office.ask("GET", "/v1/triggers/hello/versions")).json()["versions"]
    assert [(one["version"], one["state"]) for one in versions] == [(2, "live"), (1, "retired")]


async def test_what_is_wrong_with_a_trigger_is_told_by_line_and_column(office: Office) -> None:
    text = THANKS.replace("channels: [email]", "chanels: [email]").replace(
        "delay: 1h", "delay: soon\nwhen: 'evnt.amount > 0'"
    )

    refused = await office.put(text)

    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (422, "trigger_invalid")
    found = {(one["line"], one["path"]): one for one in problem["problems"]}
    assert found[8, "chanels"]["suggestion"] == "channels"
    assert (6, "delay") in {(line, path.split(".")[0]) for line, path in found}


async def test_a_message_without_words_is_refused_and_a_task_needs_none(office: Office) -> None:
    refused = await office.put(THANKS.replace("template: thanks", "template: thank"))
    task = THANKS.replace("service", "task").replace("channels: [email]\n", "")

    (problem,) = refused.json()["problems"]
    assert (refused.status_code, problem["line"], problem["column"]) == (422, 8, 11)
    assert (problem["path"], problem["suggestion"]) == ("template", "thanks")
    assert (await office.put(task.replace("template: thanks", "template: ring"))).status_code == 201


async def test_the_id_in_the_document_is_that_of_the_path(office: Office) -> None:
    refused = await office.put(THANKS, id_="other")

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/id")


async def test_who_may_only_read_changes_nothing(office: Office) -> None:
    for caller in ("analyst", "agent"):
        assert (await office.put(THANKS, caller)).status_code == 403
    assert (await office.ask("GET", "/v1/triggers/hello")).status_code == 404


async def test_garbage_is_no_trigger(office: Office) -> None:
    for text in ("", "[]", "{", "a: &a [*a]", "id: hello", "!!python/object:os.system x", "\0"):
        answer = await office.put(text)
        assert answer.status_code == 422, (text, answer.text)
    too_long = await office.put(THANKS + "#" * 70_000)
    assert too_long.status_code in {413, 422}


async def test_policies_have_versions_and_are_checked(office: Office) -> None:
    first = (await office.ask("GET", "/v1/policies")).json()
    changed = await office.ask("PUT", "/v1/policies", json={"a_day": 2, "zone": "Europe/Berlin"})
    bad = await office.ask("PUT", "/v1/policies", json={"zone": "Mars/Olympus"})
    sly = await office.ask("PUT", "/v1/policies", json={"zone_file": "/etc/hostname"})

    assert (first["version"], first["policies"]["a_day"]) == (0, 1)
    assert (changed.json()["version"], changed.json()["policies"]["a_day"]) == (1, 2)
    assert changed.json()["policies"]["quiet_from"] == first["policies"]["quiet_from"]
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/zone")
    assert sly.status_code == 422
    async with office.house.engine.connect() as tx:
        assert (await office.house.shop.rulebook.policies(tx)).version == "1"


@pytest.mark.parametrize("given", ["21:00Z", "21:00+02:00", 75_600, "21", "25:00", ""])
async def test_quiet_hours_of_the_policies_are_what_a_clock_shows(
    office: Office, given: object
) -> None:
    refused = await office.ask("PUT", "/v1/policies", json={"quiet_from": given})
    kept = await office.ask("PUT", "/v1/policies", json={"quiet_from": "21:30"})

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/quiet_from")
    assert kept.json()["policies"]["quiet_from"] == "21:30:00"
    assert kept.json()["version"] == 1


async def test_policies_that_cannot_be_read_any_more_are_mended_by_the_next(office: Office) -> None:
    await office.ask("PUT", "/v1/policies", json={"quiet_from": "21:30", "a_day": 2})
    await office.house.execute(
        "UPDATE policies SET document = replace(document::text, '21:30:00', '21:30:00Z')::json"
    )

    mended = await office.ask("PUT", "/v1/policies", json={"quiet_from": "20:00"})

    policies = mended.json()["policies"]
    assert (policies["quiet_from"], policies["a_day"]) == ("20:00:00", 2)


async def test_a_condition_that_cannot_be_worked_out_is_told_of(office: Office) -> None:
    house = office.house
    await office.put(f"{THANKS}cancel: 1000 / customer.points > 3\n")
    await office.step(1, "go-live")
    await house.execute("UPDATE trigger_version SET since = :at", at=NOON - DAY)
    ada = await house.person(email=an_email())
    order = happened("order.placed", ada, order="o-1", amount=1, identifiedby="email")

    await house.tell([order])
    await house.decide(NOON + DAY)
    page = await office.ask("GET", f"/v1/decisions?customer={ada}&trigger=hello")
    asked = {"customer": ada, "trigger": "hello", "at": (NOON + DAY).isoformat()}
    why = await office.ask("POST", "/v1/explain", "analyst", json=asked)

    (decision,) = page.json()["decisions"]
    assert decision["outcome"] == "sent"
    for gates in (decision["gates"], why.json()["gates"]):
        (gate,) = [one for one in gates if one["name"] == "cancelled"]
        assert (gate["passed"], gate["missing"]) == (True, [])
        assert "divide by zero" in gate["error"]


async def test_decisions_of_nobody_are_none_and_a_forged_cursor_is_refused(office: Office) -> None:
    page = (await office.ask("GET", "/v1/decisions?customer=user_id:nobody")).json()
    when = datetime.now(UTC).replace(tzinfo=None).isoformat()

    assert (page["decisions"], page["next_cursor"]) == ([], None)
    for query in ("cursor=x", "customer=who?", f"from={when}", "outcome=maybe", "limit=0"):
        refused = await office.ask("GET", f"/v1/decisions?{query}")
        assert refused.status_code in {400, 422}, query
    assert (await office.ask("GET", f"/v1/decisions/{'0' * 64}")).status_code == 404

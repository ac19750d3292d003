"""Nights and suggestions over a real broker: from a fact in the log to what somebody does."""

from datetime import UTC, date, datetime

from rapport_cli.stack.broker import Broker
from rapport_events.envelope import Record
from rapport_events.topics import INTERACTIONS, METRICS
from rapport_personalization.domain.prediction import Bought, churn_risk
from rapport_personalization.main import worker_component

from tests.integration.personalization.test_worker import house as house
from tests.integration.personalization.test_worker import said_of, until, working
from tests.support.events import happened
from tests.support.nights import BUYING, DAY, fitted, night, ordered, treated
from tests.support.personalization_house import Callers, House
from tests.support.privacy import an_email
from tests.support.publish import publish

LINE = 0.8


def silence() -> int:
    """So many full days after an only purchase the risk is above the line for the first time."""
    return next(n for n in range(1, 500) if churn_risk(BUYING, Bought(0, 0, n), 90) >= LINE)


async def test_a_valued_customer_who_crosses_the_line_overnight_is_called(
    house: House, broker: Broker, callers: Callers
) -> None:
    ada = await treated(house)
    now = datetime.now(UTC)
    bought = now - (silence() + 1) * DAY
    known: list[Record] = [
        ordered(ada, bought, "o-1"),
        happened("consent.granted", ada, bought, identifiedby="email", purpose="marketing",
                 fields={"channel": "email"}),
    ]  # fmt: skip

    async with working(worker_component(house.settings, house.resources)):
        await publish(broker.bootstrap, INTERACTIONS.name, known)
        models = fitted(now - DAY)
        await publish(broker.bootstrap, METRICS.name, models)
        learned = "SELECT 1 FROM model WHERE event_key = ANY(:keys) HAVING count(*) = 2"
        await until(house, learned, keys=[one.key for one in models])
        heard = "SELECT 1 FROM moment WHERE subject_id = :ada HAVING count(*) = 2"
        await until(house, heard, ada=ada)
        await night(house, now - DAY)
        answer = await house.client.post("/v1/ops/scores:run", headers=callers.as_("ops"))
        said = await said_of(broker, ada, 4)

    told = [data for envelope, data in said if envelope.type == "score.updated.v1"]
    (decided,) = [data for envelope, data in said if envelope.type == "decision.made.v1"]
    assert (answer.status_code, answer.json()["phase"]) == (202, "scoring")
    assert [data["score"] for data in told] == ["clv", "churn_risk"]
    # By the day on which it was asked for: it may have become another one meanwhile.
    days = (date.fromisoformat(answer.json()["day"]) - bought.date()).days - 1
    assert told[1]["value"] == churn_risk(BUYING, Bought(0, 0, days), 90)
    assert (decided["trigger"], decided["outcome"]) == ("high_churn_risk", "sent")
    assert any(envelope.type == "action.requested.v1" for envelope, _ in said)


async def test_the_case_of_a_valued_customer_goes_to_the_front_at_once(
    house: House, broker: Broker
) -> None:
    ada = await house.person(email=an_email())
    now = datetime.now(UTC)
    known = [
        happened("customer.created", ada, now - DAY, segment="vip", identifiedby="email"),
        happened("ticket.created", ada, now, ticket="T-1", channel="email"),
    ]

    async with working(worker_component(house.settings, house.resources)):
        await publish(broker.bootstrap, INTERACTIONS.name, known)
        said = await said_of(broker, ada, 2)

    decided = {data["trigger"]: data["outcome"] for envelope, data in said
               if envelope.type == "decision.made.v1"}  # fmt: skip
    (task,) = [data for envelope, data in said if envelope.type == "task.created.v1"]
    assert decided["vip_care"] == "sent"
    assert task["ref"] == "ticket:T-1"


async def test_a_suggestion_comes_by_itself_and_its_answer_goes_the_same_way(
    house: House, broker: Broker, callers: Callers
) -> None:
    ada = await house.person(email=an_email())
    of_ada = "FROM suggestion WHERE subject_id = :ada"
    failed = happened("payment.failed", ada, datetime.now(UTC), invoice="i-1", amount=4_900,
                      currency="EUR", identifiedby="email")  # fmt: skip

    async with working(worker_component(house.settings, house.resources)):
        await publish(broker.bootstrap, INTERACTIONS.name, [failed])
        await until(house, f"SELECT 1 {of_ada}", ada=ada)
        (row,) = await house.rows(f"SELECT suggestion {of_ada}", ada=ada)
        path = f"/v1/suggestions/{row['suggestion']}:accept"
        answer = await house.client.post(path, headers=callers.as_("helper"))
        said = await said_of(broker, ada, 2)
        back = "SELECT 1 FROM moment WHERE subject_id = :ada AND type = 'suggestion.accepted.v1'"
        await until(house, back, ada=ada)

    assert answer.status_code == 200
    assert [envelope.type for envelope, _ in said] == [
        "suggestion.made.v1", "suggestion.accepted.v1",
    ]  # fmt: skip
    assert {data["suggestion"] for _, data in said} == {row["suggestion"]}
    assert said[0][1]["facts"][0]["events"] == [failed.key.hex()]

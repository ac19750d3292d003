"""What the worker over a real broker has decided is what a back-test of that time says."""

import asyncio
from datetime import UTC, datetime, timedelta

from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events.topics import INTERACTIONS
from rapport_personalization.main import worker_component

from tests.integration.personalization.test_worker import AWAKE, TOPICS, working
from tests.support.backtested import backtested
from tests.support.events import happened
from tests.support.fixtures import MakeDatabase
from tests.support.personalization_house import Callers, Databases, House, open_house
from tests.support.privacy import an_email
from tests.support.publish import publish

PEOPLE, PATIENCE = 12, 120.0
HOUR = timedelta(hours=1)


async def decided(house: House, number: int) -> None:
    """As many decisions stand in the log."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if len(await house.decisions()) >= number:
                return
            await asyncio.sleep(0.1)


async def test_what_the_worker_did_is_what_a_back_test_says(
    own_broker: Broker, new_database: MakeDatabase, callers: Callers
) -> None:
    # Of everybody who is in the log it is said what became of them: nobody else may be.
    await create_topics(own_broker.bootstrap, TOPICS, partitions=2)
    async with open_house(
        await Databases.make(new_database), callers, own_broker, policies=AWAKE
    ) as house:
        begin = datetime.now(UTC) - HOUR
        await house.install(since=begin - HOUR)
        await house.execute("UPDATE trigger_step SET at = :at", at=begin)
        people = [await house.person(email=an_email()) for _ in range(PEOPLE)]
        async with working(worker_component(house.settings, house.resources)):
            for n, person in enumerate(people):
                # Every other one has been shipped for longer than we know.
                at = datetime.now(UTC) - (n % 2) * HOUR / 2
                segment = {"segment": "vip"} if n % 3 == 0 else {}
                created = happened("customer.created", person, at - HOUR / 6, fields=segment)
                shipped = happened(
                    "order.shipped", person, at, told=datetime.now(UTC), order=f"o-{n}",
                    identifiedby="email",
                )  # fmt: skip
                asked = happened("ticket.created", person, at, ticket=f"t-{n}", channel="chat")
                told = [created, asked] if n % 2 else [asked, created]
                await publish(own_broker.bootstrap, INTERACTIONS.name, [*told, shipped])
            # Each is told of the order and welcomed. Of four valued customers two had a question
            # before we knew that they are valued.
            await decided(house, 2 * PEOPLE + 2)
        end = datetime.now(UTC)

        results = {
            name: (await backtested(house, name, begin, end))["result"]
            for name in ("shipped", "vip_care", "welcome", "abandoned_cart")
        }

        logged = await house.decisions()
    for name, result in results.items():
        number = sum(row["trigger"] == name and row["send_at"] < end for row in logged)
        agreement = {"same": number} if number else {}
        assert (result["basis"], result["agreement"]) == ("in_force", agreement), name
    assert results["shipped"]["outcomes"] == {"sent": PEOPLE}
    assert results["vip_care"]["outcomes"] == {"sent": 2}

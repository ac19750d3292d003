"""A screen that follows a customer hears of what our own services tell, too."""

import msgspec
from rapport_events.topics import ENGAGEMENT, FEEDBACK

from tests.support.events import NOON, days
from tests.support.live_house import LiveHouse, Screen, following, until
from tests.support.privacy import a_name
from tests.support.sealed import told


async def test_an_answer_is_pushed_and_a_resumed_stream_misses_no_topic(live: LiveHouse) -> None:
    who = {"user_id": a_name()}
    ref, screen = f"user_id:{who['user_id']}", Screen()
    ordered = await told(live.keyring, who, "order.placed", order="O-1")
    answer = msgspec.structs.replace(
        await told(live.keyring, who, "survey.responded", NOON + days(1), survey="v", kind="nps",
                   score=9, channel="web"),
        topic=FEEDBACK.name,
    )  # fmt: skip
    decided = msgspec.structs.replace(
        await told(live.keyring, who, "decision.made", NOON + days(2), decision="d"),
        topic=ENGAGEMENT.name, offset=answer.offset,
    )  # fmt: skip
    await live.tell(ordered)

    async with following(live, ref, screen) as events:
        await until(events, "hello")
        await live.tell(answer)
        change = await until(events, "change")
    await live.tell(decided)
    async with following(live, ref, screen) as events:
        hello = await until(events, "hello")
        await until(events, "change")

    (pushed,) = change.data["entries"]
    assert pushed["position"]["topic"] == FEEDBACK.name
    assert change.data["profile"]["satisfaction"][0]["score"] == 9
    assert hello.data["resumed"]
    assert list(screen.entries) == [answer.key.hex(), decided.key.hex()]
    assert screen.doubles == []

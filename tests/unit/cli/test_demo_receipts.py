"""What ingest answered to the demo, added up."""

import pytest
from rapport_cli.demo.receipts import PublisherFailedError, Receipts, Request
from rapport_runtime.http.consistency import decode_token, encode_token

TOPIC = "rapport.interactions.v1"
REQUEST = Request("http://ingest/v1/batch", {}, b"{}")


def answer(accepted: int = 1, rejected: int = 0, **offsets: int) -> dict[str, object]:
    """Offsets by partition: `p0=7`."""
    places = {(TOPIC, int(name[1:])): offset for name, offset in offsets.items()}
    return {
        "accepted": accepted,
        "rejected": [{}] * rejected,
        "consistency_token": encode_token(places) if places else None,
    }


def receipts() -> Receipts:
    return Receipts(lambda _: None)


async def test_the_token_names_the_last_event_of_every_partition() -> None:
    held = receipts()

    held.add(answer(p0=7, p1=3), REQUEST)
    held.add(answer(p0=5, p2=1), REQUEST)

    assert decode_token(held.token) == {(TOPIC, 0): 7, (TOPIC, 1): 3, (TOPIC, 2): 1}


async def test_what_went_to_the_spool_is_kept_to_be_sent_again() -> None:
    held = receipts()

    held.add(answer(accepted=2), REQUEST)

    assert held.unplaced == [REQUEST]


async def test_a_delivery_that_was_refused_as_a_whole_has_no_place_to_wait_for() -> None:
    held = receipts()

    held.add(answer(accepted=0, rejected=3), REQUEST)

    assert held.unplaced == []
    assert held.rejected == held.answered == 3


async def test_a_publisher_that_gives_up_ends_the_wait() -> None:
    held = receipts()

    held.fail("the key is unknown")

    with pytest.raises(PublisherFailedError, match="the key is unknown"):
        await held.until(1)


async def test_progress_is_told_of_refused_events_too() -> None:
    steps: list[int] = []

    Receipts(steps.append).add(answer(accepted=4, rejected=1, p0=1), REQUEST)

    assert steps == [5]

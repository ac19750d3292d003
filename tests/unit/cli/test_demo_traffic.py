"""The demo's traffic: the same from the same seed, and each event judged as its script says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rapport_cli.demo.generator import Traffic, make_traffic
from rapport_cli.demo.household import ADDRESS
from rapport_cli.demo.measuring import expected
from rapport_cli.demo.saying import Call, Fact, Said
from rapport_cli.demo.segment_player import SegmentPlayer
from rapport_cli.demo.stories import ADA
from rapport_ingest.adapters import cloudevents, segment
from rapport_ingest.blocked import NOTHING_BLOCKED
from rapport_ingest.draft import Arrival, Draft, Rejection
from rapport_ingest.pipeline.accept import judge
from rapport_ingest.pipeline.permission import PUBLISHER
from segment.analytics.client import Client

END = datetime(2026, 11, 22, tzinfo=UTC)
ARRIVAL = Arrival(source="/shop", received=END + timedelta(hours=1))
SHOP = SegmentPlayer(Client("write-key", send=False))


def traffic(seed: int = 1, customers: int = 20) -> Traffic:
    return make_traffic(seed=seed, customers=customers, days=60, end=END)


@pytest.fixture(scope="module")
def sent() -> Traffic:
    return traffic()


def reading(said: Said) -> Draft | Rejection:
    """What ingest reads in an event, as its client sends it."""
    if isinstance(said, Call):
        (read,) = segment.read({"batch": [SHOP.say(said)]}, ARRIVAL)
    else:
        assert isinstance(said, Fact)
        (read,) = cloudevents.read(said.as_cloudevent(), ARRIVAL)
    return read


def test_the_same_seed_tells_the_same_stories() -> None:
    assert traffic().said == traffic().said


def test_another_seed_tells_other_stories_about_the_crowd_only() -> None:
    first, second = traffic(), traffic(seed=2)

    assert first.said != second.said
    assert first.types(ADA.key) == second.types(ADA.key)


def test_a_larger_crowd_leaves_the_others_as_they_were() -> None:
    few, many = traffic(customers=5), traffic(customers=6)

    assert few.good("customer-4") == many.good("customer-4")


def test_every_good_event_passes_the_door_as_what_the_script_says(sent: Traffic) -> None:
    good = [said for said in sent.said if said.refused is None]

    drafts = [reading(said) for said in good]

    refused = [
        draft for draft in drafts if isinstance(judge(draft, PUBLISHER, NOTHING_BLOCKED), Rejection)
    ]
    assert refused == []
    types = [draft.type for draft in drafts if isinstance(draft, Draft)]
    assert types == [said.type for said in good]


def test_every_slip_is_refused_for_the_reason_that_the_script_names(sent: Traffic) -> None:
    slips = [said for said in sent.said if said.refused is not None]

    outcomes = [judge(reading(said), PUBLISHER, NOTHING_BLOCKED) for said in slips]

    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Rejection)]
    assert codes == [said.refused for said in slips]
    assert len(set(codes)) == len(codes) == 7


def test_what_is_sent_twice_has_the_same_id_and_says_the_same(sent: Traffic) -> None:
    first: dict[str, Said] = {}
    for said in sent.said:
        assert said == replace(first.setdefault(said.id, said), sent=said.sent)

    assert sent.repeated == len(sent.said) - len(first) > 0


def test_the_carrier_tells_ada_last_of_what_happened_first(sent: Traffic) -> None:
    told = [said.type for said in sent.said if said.customer == ADA.key]

    assert told[-1] == "shipment.delayed.v1"
    assert sent.late > 0


def test_nothing_happens_after_the_end(sent: Traffic) -> None:
    assert max(said.at for said in sent.said) <= END


def test_no_two_customers_share_an_address_or_a_number_but_for_one_household(
    sent: Traffic,
) -> None:
    shared = ("email", ADDRESS)
    owners: dict[tuple[str, str], str] = {}
    for said in sent.said:
        if said.refused is None:
            draft = reading(said)
            assert isinstance(draft, Draft)
            for identifier in draft.identifiers.items() - {shared}:
                assert owners.setdefault(identifier, said.customer) == said.customer


def test_the_headline_kpis_have_something_to_divide_by_without_a_crowd() -> None:
    alone = make_traffic(seed=1, customers=0, days=30, end=END)

    shares = expected(alone).shares

    assert {kpi: share.den for kpi, share in shares.items()} == {"nps": 3, "csat": 1, "fcr": 2}

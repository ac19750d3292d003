"""Traits: the latest word wins, and everybody knows whose word it was."""

from itertools import permutations

from rapport_profile.domain.state import Fact, Source
from rapport_profile.traits import fold_traits

from tests.support.events import NOON, days, happened, new_subject
from tests.support.sealed import opened

ADA = new_subject()


def test_the_latest_word_wins_in_whatever_order_it_was_heard() -> None:
    words = [
        opened(happened("customer.identified", ADA, NOON + days(day)), {"traits": {"city": city}})
        for day, city in enumerate(["Bonn", "Rome", "Oslo"])
    ]

    found = {str(fold_traits({}, order)["city"].value) for order in permutations(words)}

    assert found == {"Oslo"}


def test_null_takes_a_trait_away() -> None:
    said = opened(happened("customer.identified", ADA), {"traits": {"city": "Bonn"}})
    unsaid = opened(
        happened("customer.identified", ADA, NOON + days(1)), {"traits": {"city": None}}
    )

    assert fold_traits({}, [said, unsaid]) == {}


def test_registration_tells_traits_by_its_own_fields() -> None:
    registered = happened("customer.created", ADA)
    personal = {"first_name": "Ada", "properties": {"x": 1}, "context": {"ip": "203.0.113.9"}}

    traits = fold_traits({}, [opened(registered, personal)])

    assert {name: trait.value for name, trait in traits.items()} == {"first_name": "Ada"}
    assert traits["first_name"].by == Source(registered.key.hex(), "/test", NOON)


def test_the_name_of_a_firm_is_not_the_name_of_a_person() -> None:
    told = happened("customer.grouped", ADA, fields={"account_id": "a-1"})

    assert set(fold_traits({}, [opened(told, {"traits": {"name": "Acme"}})])) == {"account.name"}


def test_a_clear_trait_stands_beside_the_personal_ones() -> None:
    by = Source("00", "/test", NOON)

    traits = fold_traits({"segment": Fact("consumer", by)}, [])

    assert traits["segment"].value == "consumer"
    assert not traits["segment"].is_personal

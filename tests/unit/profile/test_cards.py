"""A history as cards: what a person would tell of it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from rapport_events.catalogue import EVENTS
from rapport_profile.cards import LONGEST_RUN, Glance, Place, run_title, runs, samples
from rapport_profile.titles import TITLES, title

from tests.support.events import NOON


def history(*types: str, channel: str | None = "web") -> list[Glance]:
    """Newest first, a minute apart."""
    return [
        Glance(
            Place(NOON - timedelta(minutes=index), NOON, index.to_bytes(16, "big")),
            f"{type_}.v1",
            channel,
        )
        for index, type_ in enumerate(types)
    ]


def lengths(glances: Sequence[Glance]) -> list[int]:
    return [len(run.glances) for run in runs(glances)]


def test_forty_page_views_in_a_row_are_one_card() -> None:
    (card,) = runs(history(*["page.viewed"] * 40))

    assert run_title(card) == "40 pages viewed"
    assert card.counts == {"page.viewed.v1": 40}
    assert card.newest.place.time - card.oldest.place.time == timedelta(minutes=39)


def test_browsing_is_one_card_whatever_was_looked_at() -> None:
    (card,) = runs(history("page.viewed", "product.viewed", "page.viewed", "session.started"))

    assert run_title(card) == "2 pages viewed, 1 product viewed, 1 visit"


def test_what_matters_is_never_folded() -> None:
    assert lengths(history("order.placed", "order.placed", "ticket.message", "page.viewed")) == [
        1, 1, 1, 1,
    ]  # fmt: skip


def test_an_order_between_page_views_parts_them() -> None:
    assert lengths(history("page.viewed", "page.viewed", "order.placed", "page.viewed")) == [
        2,
        1,
        1,
    ]


def test_two_channels_are_two_cards() -> None:
    glances = history("page.viewed", channel="web") + history("page.viewed", channel="app")

    assert lengths(glances) == [1, 1]


def test_a_card_has_an_end() -> None:
    assert lengths(history(*["page.viewed"] * (LONGEST_RUN + 1))) == [LONGEST_RUN, 1]


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_pages_cut_a_history_as_one_long_page_does(page_size: int) -> None:
    glances = history("page.viewed", "page.viewed", "order.placed", "help.viewed", "help.rated")
    whole = [run.glances for run in runs(glances)]

    paged: list[Sequence[Glance]] = []
    rest = glances
    while rest:
        page = list(runs(rest))[:page_size]
        paged += [run.glances for run in page]
        rest = rest[sum(len(run.glances) for run in page) :]

    assert paged == whole


def test_samples_name_each_thing_once() -> None:
    seen: list[dict[str, object]] = [
        {"page": "home"},
        {"page": "home"},
        {"url": None},
        {"query": "x"},
    ]

    assert samples(seen) == ["home", "x"]


def test_every_event_of_the_catalogue_has_a_title() -> None:
    assert {event.type.removesuffix(".v1") for event in EVENTS} == TITLES.keys()


def test_what_is_not_known_leaves_no_hole_in_a_title() -> None:
    assert title("order.placed.v1", {}) == "Placed an order"
    assert title("order.placed.v1", {"order": "O-1", "amount": "49.90 EUR"}) == (
        "Placed an order O-1 over 49.90 EUR"
    )


def test_what_a_customer_wrote_is_no_template() -> None:
    assert title("search.performed.v1", {"query": "[x {results}] {query}"}) == (
        "Searched for “[x {results}] {query}”"
    )


def test_a_publishers_own_event_is_titled_by_its_name() -> None:
    assert title("custom.quiz_finished.v1", {}) == "Quiz finished"

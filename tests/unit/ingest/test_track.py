"""What the names and properties of track events mean."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapport_events.catalogue import BY_SEGMENT
from rapport_events.codec import check
from rapport_events.event import json_fields
from rapport_ingest.adapters.segment_events import ITEM_MONEY, ITEM_ROWS, RECIPES
from rapport_ingest.adapters.track import Meaning, understand
from rapport_ingest.draft import RefusedError

from tests.support.publishers import from_segment, track


def test_an_order_has_its_money_in_minor_units() -> None:
    meaning = understand(
        "Order Completed",
        {
            "order_id": "O-1",
            "total": 19.9,
            "revenue": 15.9,
            "currency": "eur",
            "coupon": "SPRING",
            "products": [{"product_id": "p-1", "price": 9.95, "quantity": 2, "name": "Cable"}],
        },
    )

    assert meaning.type == "order.placed.v1"
    assert meaning.data == {
        "order": "O-1",
        "amount": 1990,
        "currency": "EUR",
        "coupon": "SPRING",
        "items": [{"product": "p-1", "price": 995, "quantity": 2, "name": "Cable"}],
        "properties": {"revenue": 15.9},
    }


def test_without_a_currency_the_amount_is_not_guessed() -> None:
    meaning = understand("Order Completed", {"revenue": 19.9})

    assert meaning.data == {"properties": {"revenue": 19.9}}
    assert meaning.notes == ("amount left in properties: the event names no currency",)


def test_an_amount_may_be_text() -> None:
    meaning = understand("Order Completed", {"total": "19.90", "currency": "EUR"})

    assert meaning.data == {"amount": 1990, "currency": "EUR"}


def test_a_refusal_of_an_amount_says_which_property() -> None:
    with pytest.raises(RefusedError, match=r"19\.999 EUR has more than 2 decimals") as refused:
        understand("Order Completed", {"revenue": 19.999, "currency": "EUR"})

    assert (refused.value.code, refused.value.pointer) == (
        "amount_precision",
        "/properties/revenue",
    )


def test_a_line_that_says_more_than_we_have_fields_for_is_kept_as_it_came() -> None:
    lines = [{"product_id": "p-1", "price": 0.333, "aisle": 7}]

    meaning = understand("Cart Viewed", {"products": lines, "currency": "EUR", "value": 5})

    assert meaning.data == {
        "change": "viewed",
        "value": 500,
        "currency": "EUR",
        "items": [{"product": "p-1"}],
        "properties": {"products": lines},
    }


@pytest.mark.parametrize("products", [["p-1"], "p-1", [], [{}] * 501, None])
def test_what_is_no_list_of_lines_stays_where_it_is(products: object) -> None:
    meaning = understand("Cart Viewed", {"products": products})

    assert meaning.data["properties"] == {"products": products}


def test_a_product_added_is_the_one_line_of_a_cart() -> None:
    meaning = understand(
        "Product Added",
        {"cart_id": "k-1", "product_id": "p-1", "price": 5, "quantity": "2", "currency": "EUR"},
    )

    assert meaning.type == "cart.updated.v1"
    assert meaning.data == {
        "change": "added",
        "cart": "k-1",
        "items": [{"product": "p-1", "quantity": 2, "price": 500}],
        "currency": "EUR",
    }


def test_a_known_event_that_lacks_what_it_needs_is_kept_as_the_publishers_own() -> None:
    meaning = understand("Order Refunded", {"total": 5, "currency": "EUR"})

    assert meaning.type == "custom.order_refunded.v1"
    assert meaning.data == {
        "name": "Order Refunded",
        "properties": {"total": 5, "currency": "EUR"},
    }
    assert meaning.notes == ("kept as custom: order.refunded.v1 needs order",)


def test_somebody_who_signed_up_is_named_by_their_addresses() -> None:
    draft = from_segment(
        track(
            "Signed Up",
            email="ada@example.com",
            phone="+4930901820",
            firstName="Ada",
            birthday="1990-12-10T00:00:00Z",
            plan="pro",
        )
    )

    assert draft.type == "customer.created.v1"
    assert draft.identifiers == {
        "email": "ada@example.com",
        "phone": "+4930901820",
        "user_id": "u-1",
    }
    assert draft.data == {
        "email": "ada@example.com",
        "phone": "+4930901820",
        "first_name": "Ada",
        "birth_date": "1990-12-10",
        "properties": {"plan": "pro"},
    }


def test_an_opened_mail_was_read_in_the_mailbox() -> None:
    draft = from_segment(track("Email Opened", message_id="m-9", campaign_name="Spring"))

    assert (draft.type, draft.channel) == ("message.opened.v1", "email")
    assert draft.data == {"channel": "email", "message": "m-9", "template": "Spring"}


@pytest.mark.parametrize("name", ["ticket.created", "ticket.created.v1"])
def test_a_type_of_ours_may_be_sent_through_track(name: str) -> None:
    meaning = understand(name, {"ticket": "T-1", "topic": "billing"})

    assert meaning == Meaning("ticket.created.v1", {"ticket": "T-1", "topic": "billing"})


def test_a_slip_in_one_of_our_types_is_told_with_the_nearest_one() -> None:
    with pytest.raises(RefusedError, match=r"did you mean ticket\.created\.v1") as refused:
        understand("ticket.creatd.v1", {"ticket": "T-1"})

    assert refused.value.code == "unknown_type"


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("Quiz Finished!", "custom.quiz_finished.v1"),
        ("order.completed", "custom.order_completed.v1"),
        ("Übung beendet", "custom.ubung_beendet.v1"),
        ("完了", "custom.event.v1"),
        ("page", "custom.page.v1"),
        ("custom.quiz.v1", "custom.quiz.v1"),
        ("a" * 5_000, f"custom.{'a' * 60}.v1"),
    ],
)
def test_an_unknown_name_is_never_an_error(name: str, type_: str) -> None:
    meaning = understand(name, {"score": 5})

    assert meaning.type == type_
    assert meaning.data["properties"] == {"score": 5}
    assert check(type_, meaning.data) == []


def test_every_segment_name_of_the_catalogue_has_its_recipe() -> None:
    assert RECIPES.keys() == BY_SEGMENT.keys()


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_fills_fields_that_exist(name: str) -> None:
    recipe, fields = RECIPES[name], json_fields(BY_SEGMENT[name])

    filled = {row.field for row in (*recipe.rows, *recipe.money)} | recipe.always.keys()
    filled |= {"items", "currency"} if recipe.items is not None else set()
    filled |= {"currency"} if recipe.money else set()

    assert filled <= fields.keys()


_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**6),
    st.floats(-5, 10**6),
    st.text(max_size=300),
    st.sampled_from(["19.90", "4", "EUR", "JPY", "1990-12-10", "p" * 257]),
    st.lists(st.dictionaries(st.sampled_from(["product_id", "price", "x"]), st.just(1.5))),
)


@st.composite
def spec_events(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An event of the Segment spec, with anything in the places where its fields are looked for."""
    name = draw(st.sampled_from(sorted(RECIPES)))
    rows = (*RECIPES[name].rows, *RECIPES[name].money, *ITEM_ROWS, *ITEM_MONEY)
    names = sorted({found for row in rows for found in row.names} | {"currency", "products"})
    return name, draw(st.dictionaries(st.sampled_from(names), _VALUE, max_size=8))


_REFUSALS = {
    "amount_negative",
    "amount_precision",
    "amount_too_large",
    "amount_unreadable",
    "unknown_currency",
}


def understood(name: str, properties: dict[str, Any]) -> Meaning | str:
    """The meaning, or the code under which the event was refused."""
    try:
        return understand(name, properties)
    except RefusedError as refused:
        return refused.code


@settings(deadline=None)
@given(spec_events())
def test_what_a_recipe_makes_is_always_valid_and_loses_nothing(
    sent: tuple[str, dict[str, Any]],
) -> None:
    name, properties = sent

    meaning = understood(name, properties)

    if isinstance(meaning, str):
        assert meaning in _REFUSALS
    else:
        assert check(meaning.type, meaning.data) == []
        assert meaning.data.get("properties", {}).items() <= properties.items()

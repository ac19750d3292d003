"""Finding an event by what somebody calls it."""

import pytest
from rapport_events import catalogue, commerce, identity, order, web
from rapport_events.catalogue import class_of, custom_type, is_custom, segment_name
from rapport_events.event import ingest_fields, pii_fields


@pytest.mark.parametrize("name", ["Order Completed", "order_completed", " ORDER-completed "])
def test_segment_track_events_are_known_however_they_are_spelt(name: str) -> None:
    assert catalogue.BY_SEGMENT[segment_name(name)] is order.OrderPlaced


def test_several_track_events_may_mean_one_event() -> None:
    for name in ("Product Added", "Product Removed", "Cart Viewed"):
        assert catalogue.BY_SEGMENT[segment_name(name)] is commerce.CartUpdated


def test_a_track_event_called_page_is_not_a_page_view() -> None:
    assert segment_name("page") not in catalogue.BY_SEGMENT
    assert catalogue.BY_CALL["page"] is web.PageViewed


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("Quiz Finished!", "custom.quiz_finished.v1"),
        ("Über-Gruß  Gesendet", "custom.uber_gru_gesendet.v1"),
        ("完成", "custom.event.v1"),
        ("x" * 300, f"custom.{'x' * 60}.v1"),
        ("a" * 59 + " b", f"custom.{'a' * 59}.v1"),
        ("", "custom.event.v1"),
    ],
)
def test_a_publishers_own_event_gets_a_type_of_its_own(name: str, type_: str) -> None:
    assert custom_type(name) == type_
    assert is_custom(type_)
    assert class_of(type_) is catalogue.Custom


@pytest.mark.parametrize("type_", ["custom", "custom.Quiz.v1", "custom.quiz.v2", "order.placed.v9"])
def test_nobody_knows_a_type_that_is_none(type_: str) -> None:
    assert class_of(type_) is None


def test_personal_fields_go_by_their_names_in_json() -> None:
    assert pii_fields(identity.CustomerMerged) == {"from", "properties"}
    assert ingest_fields(identity.CustomerMerged) == {"from_subject"}

"""When an event happened, by a publisher's clock that may be wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_ingest.clock import BadTimeError, read_clock, read_strictly, rfc3339

RECEIVED = datetime(2026, 11, 22, 12, 0, 10, tzinfo=UTC)


def test_a_wrong_clock_is_corrected_by_when_it_sent() -> None:
    """publishers.md, line 8: the clock is a day slow, the event was 30 s old when it was sent."""
    reading = read_clock("2026-11-21T11:59:30.000Z", "2026-11-21T12:00:00Z", RECEIVED)

    assert reading.occurred == RECEIVED - timedelta(seconds=30)
    assert reading.said == "2026-11-21T11:59:30.000Z"
    assert reading.clock == {
        "original": "2026-11-21T11:59:30.000Z",
        "sent": "2026-11-21T12:00:00Z",
        "received": "2026-11-22T12:00:10.000Z",
    }


def test_without_a_sending_time_the_publisher_is_believed() -> None:
    reading = read_clock("2026-11-01T12:00:00+01:00", None, RECEIVED)

    assert reading.occurred == datetime(2026, 11, 1, 11, tzinfo=UTC)


def test_without_any_time_it_happened_on_arrival() -> None:
    reading = read_clock(None, "2026-11-22T12:00:00Z", RECEIVED)

    assert reading.occurred == RECEIVED
    assert reading.said is None
    assert "original" not in reading.clock


@pytest.mark.parametrize("sent", ["yesterday", "", True, {}, "0001-01-01T00:00:00Z"])
def test_an_unreadable_sending_time_corrects_nothing(sent: object) -> None:
    reading = read_clock("2026-11-22T12:00:00Z", sent, RECEIVED)

    assert reading.occurred == datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_correction_never_leaves_the_years_that_can_be_kept() -> None:
    reading = read_clock("1900-01-01T00:00:05Z", "2026-11-22T12:01:00Z", RECEIVED)

    assert reading.occurred == datetime(1900, 1, 1, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(("ahead", "is_clamped"), [(300, False), (301, True)])
def test_more_than_five_minutes_ahead_is_clamped_and_flagged(ahead: int, is_clamped: bool) -> None:  # noqa: FBT001
    said = rfc3339(RECEIVED + timedelta(seconds=ahead))

    reading = read_clock(said, None, RECEIVED)

    assert reading.occurred == (RECEIVED if is_clamped else RECEIVED + timedelta(seconds=ahead))
    assert reading.clock.get("clamped", False) is is_clamped
    assert reading.clock["original"] == said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2026-11-01T12:00:00", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01T12:00:00.123456789Z", datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-01 12:00:00-05:00", datetime(2026, 11, 1, 17, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        (1_793_534_400, datetime(2026, 11, 1, 12, tzinfo=UTC)),
        (1_793_534_400_000, datetime(2026, 11, 1, 12, tzinfo=UTC)),
        (1_793_534_400.5, datetime(2026, 11, 1, 12, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_clients_write_times_in_many_ways(said: object, expected: datetime) -> None:
    assert read_clock(said, None, RECEIVED).occurred == expected


@pytest.mark.parametrize(
    "said",
    ["soon", "2026-13-01", "1899-12-31T23:59:59Z", "2100-01-01T00:00:00Z", True, [], {}, 1e300],
)
def test_what_is_no_time_refuses_the_event(said: object) -> None:
    with pytest.raises(BadTimeError):
        read_clock(said, None, RECEIVED)


@pytest.mark.parametrize(
    "said",
    ["2026-11-01T12:00:00", "2026-11-01", "2026-11-01T12:00Z", "2026-11-01T25:00:00Z", 1, ""],
)
def test_a_cloudevent_says_its_time_in_rfc_3339_with_an_offset(said: object) -> None:
    with pytest.raises(BadTimeError):
        read_strictly(said, RECEIVED)


def test_rfc_3339_is_read_in_lower_case_too() -> None:
    reading = read_strictly("2026-11-01t12:00:00z", RECEIVED)

    assert reading.occurred == datetime(2026, 11, 1, 12, tzinfo=UTC)


ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str)
)


@given(ANYTHING, ANYTHING)
def test_any_time_is_read_or_refused(original: object, sent: object) -> None:
    try:
        reading = read_clock(original, sent, RECEIVED)
    except BadTimeError:
        return

    assert reading.occurred.utcoffset() == timedelta(0)
    assert reading.occurred <= RECEIVED + timedelta(minutes=5)

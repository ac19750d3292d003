"""What can be read back of a spool segment, whatever happened to it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from rapport_runtime.delivery import Outgoing
from rapport_runtime.segment import count_frames, encode_frames, parse_frames

records = st.lists(
    st.builds(
        Outgoing,
        key=st.binary(max_size=36),
        value=st.binary(max_size=200),
        headers=st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=16)), max_size=3),
    ),
    max_size=20,
)


def size_of(some: list[Outgoing]) -> int:
    return len(encode_frames(some))


@given(records)
def test_what_was_written_is_read_back(written: list[Outgoing]) -> None:
    segment = encode_frames(written)

    parsed = parse_frames(segment, 0, 1_000)

    assert parsed.records == written
    assert (parsed.end, parsed.torn, parsed.damaged) == (len(segment), False, 0)
    assert count_frames(segment, 0) == len(written)


@given(records, st.integers(1, 7))
def test_it_is_read_in_parts_without_gap_or_repeat(written: list[Outgoing], most: int) -> None:
    segment, found, at = encode_frames(written), [], 0

    while at < len(segment):
        parsed = parse_frames(segment, at, most)
        found += parsed.records
        at = parsed.end

    assert found == written


@settings(deadline=None)
@given(records, st.data())
def test_a_torn_tail_costs_only_the_records_it_cuts(
    written: list[Outgoing], data: st.DataObject
) -> None:
    segment = encode_frames(written)
    cut = data.draw(st.integers(0, len(segment)))

    parsed = parse_frames(segment[:cut], 0, 1_000)

    whole = [count for count in range(len(written) + 1) if size_of(written[:count]) <= cut]
    assert parsed.records == written[: max(whole)]
    assert parsed.torn or size_of(parsed.records) == cut


@given(records.filter(bool), st.data())
def test_a_changed_byte_never_makes_a_wrong_record(
    written: list[Outgoing], data: st.DataObject
) -> None:
    segment = bytearray(encode_frames(written))
    at = data.draw(st.integers(0, len(segment) - 1))
    segment[at] ^= data.draw(st.integers(1, 255))

    parsed = parse_frames(bytes(segment), 0, 1_000)

    without_one = [written[:index] + written[index + 1 :] for index in range(len(written))]
    assert parsed.records in without_one
    assert parsed.damaged or parsed.torn


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_reader(garbage: bytes) -> None:
    parsed = parse_frames(garbage, 0, 1_000)

    assert 0 <= parsed.end <= len(garbage)


@given(records, st.integers(1, 4_096))
def test_zeros_after_a_power_cut_are_a_torn_tail(written: list[Outgoing], zeros: int) -> None:
    parsed = parse_frames(encode_frames(written) + bytes(zeros), 0, 1_000)

    assert parsed.records == written
    assert parsed.torn

"""The spool keeps what it accepted, in order, over every restart, and never more than its bound."""

import os
import resource
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rapport_runtime.delivery import Outgoing
from rapport_runtime.segment import encode_frames
from rapport_runtime.spool import Spool, SpoolFullError
from rapport_runtime.spoolfiles import SpoolFiles, SpoolInUseError
from structlog.testing import capture_logs

MIB = 1 << 20


def numbered(first: int, count: int, size: int = 10) -> list[Outgoing]:
    return [
        Outgoing(b"key", str(number).encode().rjust(size, b" "))
        for number in range(first, first + count)
    ]


def numbers(records: list[Outgoing]) -> list[int]:
    return [int(record.value) for record in records]


async def opened(directory: Path, max_bytes: int = MIB) -> Spool:
    spool = Spool(directory, max_bytes)
    await spool.open()
    return spool


async def drained(spool: Spool, most: int = 7) -> list[int]:
    found: list[int] = []
    while chunk := await spool.read(most):
        found += numbers(chunk.records)
        await spool.advance(chunk)
    return found


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.spool"))


async def test_records_come_out_in_the_order_they_went_in(tmp_path: Path) -> None:
    spool = await opened(tmp_path)
    for first in range(0, 100, 10):
        await spool.append(numbered(first, 10))

    found = await drained(spool)

    assert found == list(range(100))
    assert spool.empty
    assert not segments(tmp_path)
    await spool.close()


async def test_what_was_not_advanced_over_is_read_again_after_a_restart(tmp_path: Path) -> None:
    spool = await opened(tmp_path)
    await spool.append(numbered(0, 20))
    first = await spool.read(7)
    assert first is not None
    await spool.advance(first)
    await spool.read(7)
    await spool.close()

    again = await opened(tmp_path)

    assert again.contents.records == 13
    await again.append(numbered(20, 5))
    assert await drained(again) == list(range(7, 25))
    await again.close()


async def test_beyond_its_bound_it_takes_nothing_and_keeps_everything(tmp_path: Path) -> None:
    spool = await opened(tmp_path, max_bytes=20_000)
    await spool.append(numbered(0, 10, size=1_000))

    with pytest.raises(SpoolFullError) as refusal:
        await spool.append(numbered(10, 10, size=1_000))

    assert 1 <= refusal.value.retry_after <= 5
    assert spool.contents.bytes <= 20_000
    assert await drained(spool) == list(range(10))
    await spool.append(numbered(10, 10, size=1_000))
    assert await drained(spool) == list(range(10, 20))
    await spool.close()


async def test_a_full_disk_is_a_full_spool_and_loses_nothing(tmp_path: Path) -> None:
    spool = await opened(tmp_path)
    await spool.append(numbered(0, 10))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (500, unlimited[1]))
    try:
        with capture_logs(), pytest.raises(SpoolFullError):
            await spool.append(numbered(10, 10, size=1_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    await spool.append(numbered(20, 10))
    assert await drained(spool) == [*range(10), *range(20, 30)]
    await spool.close()


async def test_two_processes_cannot_share_a_spool(tmp_path: Path) -> None:
    spool = await opened(tmp_path)

    with pytest.raises(SpoolInUseError, match="RAPPORT_SPOOL__DIR"):
        await opened(tmp_path)

    await spool.close()
    await (await opened(tmp_path)).close()


@pytest.mark.parametrize("at", [0, 5, 9, 30, 150, -1])
async def test_a_damaged_byte_costs_one_record_and_is_kept_for_inspection(
    tmp_path: Path, at: int
) -> None:
    spool = await opened(tmp_path)
    await spool.append(numbered(0, 10))
    await spool.close()
    [segment] = segments(tmp_path)
    content = bytearray(segment.read_bytes())
    content[at] ^= 1
    segment.write_bytes(content)

    again = await opened(tmp_path)
    with capture_logs() as told:
        found = await drained(again)
    await again.close()

    assert len(found) == 9
    assert [line["segment"] for line in told] == [1]
    assert [kept.read_bytes() for kept in (tmp_path / "damaged").iterdir()] == [bytes(content)]


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    spool = await opened(tmp_path / "spool")
    await spool.append(numbered(0, 1))

    modes = {path.suffix: path.stat().st_mode & 0o777 for path in (tmp_path / "spool").iterdir()}

    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert modes[".spool"] == 0o600
    await spool.close()


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 30)),
        st.tuples(st.just("read"), st.integers(1, 30)),
        st.tuples(st.just("restart"), st.integers(0, 40)),
        st.tuples(st.just("forget cursor"), st.just(0)),
    ),
    max_size=30,
)


@given(steps)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_everything_accepted_is_read_in_order(
    tmp_path_factory: pytest.TempPathFactory, program: list[tuple[str, int]]
) -> None:
    """A restart may tear an unfinished append, and lose the place reached: then records repeat."""
    directory = tmp_path_factory.mktemp("spool")
    files = SpoolFiles(directory, segment_bytes=300)
    accepted, read = 0, []
    for step, count in program:
        match step:
            case "append":
                files.append(encode_frames(numbered(accepted, count)), count)
                accepted += count
            case "read":
                if chunk := files.read(count):
                    read += numbers(chunk.records)
                    files.advance(chunk)
            case "restart":
                files.close()
                for newest in segments(directory)[-1:]:
                    torn = encode_frames(numbered(10**6, 5))[:count]
                    newest.write_bytes(newest.read_bytes() + torn)
                files = SpoolFiles(directory, segment_bytes=300)
            case _:
                (directory / "cursor").unlink(missing_ok=True)
    while chunk := files.read(9):
        read += numbers(chunk.records)
        files.advance(chunk)
    files.close()

    seen = [number for number in read if number < 10**6]
    assert sorted(set(seen)) == list(range(accepted))
    assert first_times(seen) == list(range(accepted))


def first_times(found: list[int]) -> list[int]:
    return list(dict.fromkeys(found))


def test_a_segment_that_outgrows_the_window_is_read_whole(tmp_path: Path) -> None:
    files = SpoolFiles(tmp_path, segment_bytes=32 * MIB)
    large = [Outgoing(b"k", os.urandom(3 * MIB)) for _ in range(3)]
    files.append(encode_frames(large), 3)

    found = []
    while chunk := files.read(2):
        found += chunk.records
        files.advance(chunk)

    assert found == large
    files.close()

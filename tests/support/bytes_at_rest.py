"""What lies as bytes in a broker, in databases and in files."""

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer
from rapport_events.topics import TOPICS
from rapport_privacy.keyring import Keyring

from tests.support.privacy import rows_of


async def in_topics(bootstrap: str) -> bytes:
    """Every byte of every record: values, keys and headers."""
    names = [topic.name for topic in TOPICS]
    consumer = AIOKafkaConsumer(
        *names, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    places = consumer.assignment()
    seen: list[bytes] = []
    ends = await consumer.end_offsets(places)
    while any([await consumer.position(place) < end for place, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for one in records:
                seen += [one.value or b"", one.key or b"", *(value for _, value in one.headers)]
    await consumer.stop()
    return b"\n".join(seen)


async def vacuum(urls: Iterable[str]) -> None:
    """Writes everything anew and to disk, as an operator would after erasures."""
    for url in urls:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute("VACUUM FULL")
        await connection.execute("CHECKPOINT")
        await connection.close()


async def wrapped_keys(url: str, keyring: Keyring, people: Iterable[dict[str, str]]) -> list[bytes]:
    """As the keyring's database holds them: without the master key they open nothing."""
    names = [
        (kind, value.lower() if kind == "email" else value)
        for who in people
        for kind, value in who.items()
    ]
    subjects = set((await keyring.find_many(names)).values())
    rows = await rows_of(url, "SELECT subject_id::text, wrapped FROM data_key")
    return [row["wrapped"] for row in rows if row["subject_id"] in subjects]


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def hits(folder: Path, words: Iterable[bytes]) -> dict[str, int]:
    """File to how many of the words are in it."""
    wanted = list(words)
    found = {}
    for path in files_below(folder):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            count = sum(text.find(word) >= 0 for word in wanted)
        if count:
            found[str(path.relative_to(folder))] = count
    return found


def spellings(word: str) -> list[bytes]:
    """As it may stand in a file."""
    return [word.encode(), word.lower().encode(), word.encode("utf-16-le")]

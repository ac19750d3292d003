"""Whatever bytes arrive, the answer is the caller's fault and never ours. Lines B13 to B15."""

import asyncio
import random
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson
import pytest

from tests.support.ingest_house import Ingest, a_user, an_id
from tests.support.publishers import track

SEED: Final = 20_261_122
CONNECTIONS: Final = 400
AT_ONCE: Final = 20
PATIENCE: Final = 2.0
"""Bytes may have been taken out of a body, and its rest is waited for."""
SECONDS: Final = 45
EXAMPLES: Final = 25


@pytest.mark.slow
async def test_generated_requests_are_answered_as_the_document_says(
    ingest: Ingest, tmp_path: Path
) -> None:
    # Empty text is an example of "any JSON" to the tool, so positive checks would fail.
    tool = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{ingest.url}/openapi.json",
        "-H", f"Authorization: Bearer {ingest.secrets.keys['everything']}",
        "--exclude-checks", "positive_data_acceptance", "--phases", "examples,coverage,fuzzing",
        "--max-time", str(SECONDS), "--max-examples", str(EXAMPLES), "--seed", "7", "--no-color",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await tool.communicate()

    assert tool.returncode == 0, said.decode()[-4_000:]


def _requests(ingest: Ingest) -> list[bytes]:
    """Good ones, to be broken."""
    key = ingest.secrets.keys["publisher"]
    body = orjson.dumps({"batch": [track("Seen") | {"userId": a_user(), "messageId": an_id()}]})
    event = orjson.dumps(
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "page.viewed.v1"}
    )

    def request(path: str, content: bytes, *headers: str) -> bytes:
        lines = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", *headers]
        lines += [f"Content-Length: {len(content)}", "Connection: close"]
        return "\r\n".join([*lines, "", ""]).encode() + content

    return [
        request("/v1/batch", body, "Content-Type: application/json"),
        request("/v1/events", event, "Content-Type: application/cloudevents+json"),
        request(
            "/v1/events", b"{}", "ce-id: 1", "ce-specversion: 1.0", "ce-type: a", "ce-source: b"
        ),
        request("/batch/", b'{"batch":[{"event":"x","distinct_id":"u","uuid":"1"}]}'),
        request("/v1/ops/quarantine:fix", b'{"id": 1, "patch": {}}'),
    ]


def _broken(good: bytes, chance: random.Random) -> bytes:
    broken = bytearray(good)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(broken) or 1)
        match chance.randrange(4):
            case 0:
                broken[at:at] = chance.randbytes(chance.randint(1, 20))
            case 1:
                del broken[at : at + chance.randint(1, 20)]
            case 2 if at < len(broken):
                broken[at] = chance.randrange(256)
            case _:
                broken[at:at] = broken[at : at + chance.randint(1, 60)]
    return bytes(broken)


async def _status(ingest: Ingest, sent: bytes, patience: float = PATIENCE) -> int | None:
    """The status of the answer; None when the server hung up, or waits for more."""
    place = urlsplit(ingest.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(patience):
            line = await reader.readline()
    except (ConnectionError, TimeoutError):
        return None
    finally:
        writer.close()
    return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else None


async def test_broken_bytes_are_answered_or_hung_up_on_and_harm_nobody(ingest: Ingest) -> None:
    chance = random.Random(SEED)
    good = _requests(ingest)
    broken = [_broken(chance.choice(good), chance) for _ in range(CONNECTIONS)]

    statuses: list[int | None] = []
    for start in range(0, CONNECTIONS, AT_ONCE):
        some = broken[start : start + AT_ONCE]
        statuses += await asyncio.gather(*(_status(ingest, sent) for sent in some))
    after = [await _status(ingest, sent, 60) for sent in good]

    failed = [sent for sent, status in zip(broken, statuses, strict=True) if (status or 0) >= 500]
    assert failed == []
    assert {200, 400} <= set(statuses)
    assert after == [200, 200, 200, 200, 403]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b'{"batch": [' + b"9" * 10_000_000 + b"]}",
        b'{"batch": ' + b"9" * 100_000 + b"}",
        b'{"batch": [' + b"{}," * 200_000 + b"{}]}",
        b'{"batch": [' + b"1e400," * 100 + b"null]}",
        b'"' + "\u202e\u200b\U0001f600".encode() * 1_000 + b'"',
        b"\x1f\x8b" + b"\x00" * 50,
        b"null",
        b'{"batch": {"a": 1}}',
        b'{"batch": [], "batch": [1]}',
    ],
    ids=range(11),
)
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track", "/v1/events", "/e/"])
async def test_bombs_are_refused(ingest: Ingest, path: str, body: bytes) -> None:
    answer = await ingest.post(path, body)

    assert answer.status_code in {200, 400, 413, 415}, answer.text
    assert answer.json().get("accepted", 0) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada@Example.com", "ada@example.COM", True),
        ("zo\u00eb@example.com", "zoe\u0308@example.com", True),
        ("ada@example.com", "\u0430da@example.com", False),
        ("ada@example.com", "ada+shop@example.com", False),
    ],
)
async def test_spellings_of_an_address_are_one_person_when_the_rule_says_so(
    ingest: Ingest, one: str, other: str, *, same: bool
) -> None:
    host = an_id()
    events = [
        {
            "specversion": "1.0",
            "id": an_id(),
            "source": "/s",
            "type": "page.viewed.v1",
            "data": {"identifiers": {"email": f"{mailbox}@{host}.{domain}"}},
        }
        for mailbox, domain in (one.rsplit("@", 1), other.rsplit("@", 1))
    ]

    answer = await ingest.send("/v1/events", events)

    assert answer["rejected"] == []
    stored = await ingest.stored(*(str(event["id"]) for event in events))
    subjects = {one.envelope.subject for one in stored}
    assert len(subjects) == (1 if same else 2)

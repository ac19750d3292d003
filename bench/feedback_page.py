"""Customers who open the link to a survey and answer it, at a steady rate.

Each opens the page, with the score chosen as by a tap in the message, and sends the form; every
third writes something, and every fifth is dissatisfied, so that somebody has to get back to them.
The service runs as in a stack: the page, the worker and the outbox in one process. A wait counts
from when a request was due. `most` are as many visitors at once as there are connections.

    python -m bench.feedback_page [--rate 300] [--seconds 20] [--runs 3]
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

import asyncpg
import uvloop
from rapport_feedback.tokens import make_token
from rapport_privacy.keyring import Resolved

from bench.feedback_service import Service, open_service
from bench.http import Client
from bench.report import percentile, resident_mib, save, spread
from bench.servers import open_servers, settle

CLIENTS: Final = 16
_MOST_SECONDS: Final = 5
_MOST_RATE: Final = 1_500
_WARM_SECONDS: Final = 3
_KEYS_A_TIME: Final = 500
_FORM: Final = "application/x-www-form-urlencoded"
_COMMENT: Final = "The parcel was late, and nobody could tell me where it was. The app was fine."

_INVITE: Final = """
INSERT INTO invitation (survey, definition, version, kind, about, rule, anchor, subject_id, cause,
    happened_at, due_at, send_at, state, channel, language, refs, decided_at, expires_at)
SELECT survey, 'after_case', 1, 'nps', 'service', 'after_case', 'ticket:' || survey, subject::uuid,
    decode(replace(survey, '-', ''), 'hex'), now(), now(), now(), 'sent', 'email', 'en',
    jsonb_build_object('ticket', survey, 'agent', 'eve'), now(), $3
FROM unnest($1::text[], $2::text[]) AS new (survey, subject)
"""

_PEOPLE: Final = """
INSERT INTO person_subject (subject_id) SELECT unnest($1::text[])::uuid
"""
"""As whoever decides to ask somebody leaves them behind."""


class Waits(NamedTuple):
    """Milliseconds, one figure a request."""

    page: list[float]
    answer: list[float]
    seconds: float


async def invite(service: Service, people: int) -> Iterator[str]:
    """As many addresses, each for one answer."""
    expires = datetime.now(UTC) + timedelta(days=1)
    connection = await asyncpg.connect(service.settings.database.url.replace("+asyncpg", ""))
    surveys: list[str] = []
    for start in range(0, people, _KEYS_A_TIME):
        count = min(_KEYS_A_TIME, people - start)
        found = await service.keyring.resolve([{"user_id": uuid4().hex} for _ in range(count)])
        subjects = [str(one.subject) for one in found if isinstance(one, Resolved)]
        new = [str(uuid4()) for _ in subjects]
        await connection.execute(_INVITE, new, subjects, expires)
        await connection.execute(_PEOPLE, subjects)
        surveys += new
    await connection.execute("ANALYZE invitation")
    await connection.close()
    await settle(service.settings.database.url)
    mac = service.keyring.mac_local
    return iter([f"/s/{make_token(mac, survey, expires)}" for survey in surveys])


async def visit(client: Client, address: str, due: float, chance: random.Random) -> Waits:
    """Opens the page and sends the form."""
    score = chance.randrange(7) if chance.random() < 0.2 else chance.randrange(7, 11)
    comment = _COMMENT if chance.random() < 0.33 else ""
    await client.get(f"{address}?score={score}")
    shown = time.perf_counter()
    body = urlencode({"q-score": score, "q-comment": comment}).encode()
    await client.post(f"{address}?score={score}", body, _FORM)
    sent = time.perf_counter()
    return Waits([(shown - due) * 1_000], [(sent - shown) * 1_000], 0.0)


async def run(service: Service, addresses: Sequence[str], rate: float, seed: int) -> Waits:
    """All of them answer, so many a second."""
    chance = random.Random(seed)
    clients: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(CLIENTS):
        clients.put_nowait(await Client(service.url, "").__aenter__())
    began = time.perf_counter()

    async def come(address: str, due: float) -> Waits:
        client = await clients.get()
        try:
            return await visit(client, address, due, chance)
        finally:
            clients.put_nowait(client)

    work = []
    for number, address in enumerate(addresses):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        work.append(asyncio.create_task(come(address, due)))
    waits = await asyncio.gather(*work)
    seconds = time.perf_counter() - began
    while not clients.empty():
        await clients.get_nowait().__aexit__(None, None, None)
    pages = [wait for one in waits for wait in one.page]
    return Waits(pages, [wait for one in waits for wait in one.answer], seconds)


async def measure(kind: str, rate: int, seconds: int, runs: int) -> dict[str, Any]:
    steady, most = [], []
    async with open_servers(kind) as servers, open_service(servers) as service:
        async with Client(service.url, "") as client:
            page = await client.get(next(await invite(service, 1)))
        await run(service, list(await invite(service, rate * _WARM_SECONDS)), rate, 0)
        for number in range(runs):
            addresses = list(await invite(service, rate * seconds))
            steady.append(await run(service, addresses, rate, number + 1))
            addresses = list(await invite(service, _MOST_SECONDS * _MOST_RATE))
            most.append(await run(service, addresses, float("inf"), number + 1))
            _say(steady[-1], most[-1], len(addresses))
        asked = rate * (_WARM_SECONDS + runs * seconds) + runs * _MOST_SECONDS * _MOST_RATE
        await _require_all(service, asked)
        memory = resident_mib(service.pid)
    return {
        "answers_per_second": rate,
        "page_p50_ms": spread([percentile(one.page, 0.50) for one in steady]),
        "page_p99_ms": spread([percentile(one.page, 0.99) for one in steady]),
        "answer_p50_ms": spread([percentile(one.answer, 0.50) for one in steady]),
        "answer_p99_ms": spread([percentile(one.answer, 0.99) for one in steady]),
        "most_answers_per_second": spread([len(one.answer) / one.seconds for one in most]),
        "page_bytes": len(page.body),
        "rss_mib": memory,
    }


def _say(steady: Waits, most: Waits, count: int) -> None:
    page, answer = percentile(steady.page, 0.99), percentile(steady.answer, 0.99)
    sys.stdout.write(
        f"page p99 {page:.1f} ms  answer p99 {answer:.1f} ms  most {count / most.seconds:,.0f}/s\n"
    )
    sys.stdout.flush()


async def _require_all(service: Service, answers: int) -> None:
    """Every answer counts once, and was told."""
    connection = await asyncpg.connect(service.settings.database.url.replace("+asyncpg", ""))
    for _ in range(300):
        waiting = await connection.fetchval("SELECT count(*) FROM outbox")
        if not waiting:
            break
        await asyncio.sleep(0.1)
    found = await connection.fetchval("SELECT count(*) FROM answer WHERE is_current")
    await connection.close()
    if waiting or found != answers:
        raise SystemExit(f"{found} of {answers} answers are there, {waiting} facts were not told")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded", choices=["embedded", "apache"])
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.broker, given.rate, given.seconds, given.runs))
    command = f"python -m bench.feedback_page --rate {given.rate} --seconds {given.seconds}"
    sys.stdout.write(f"page {found['page_bytes']} bytes, {found['rss_mib']} MiB\n")
    save("feedback_page", command, found)


if __name__ == "__main__":
    main()

"""A webhook's URL must not make us knock on our own doors, however it is spelled."""

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rapport_events.codec import decode_data
from rapport_events.wire import ActionRequested
from rapport_runtime.sender import guard
from rapport_runtime.sender.guard import ForbiddenTargetError, Target
from rapport_runtime.sender.message import SENT, Later, Message, Outcome, Requested, dead
from rapport_runtime.sender.settings import WebhookSettings
from rapport_runtime.sender.webhook import Webhook

from tests.support.certificates import certificate
from tests.support.events import NOON
from tests.support.receivers import accept, always, answering, receiver
from tests.support.sending import SECRET, requested
from tests.support.targets import FORBIDDEN

PUBLIC = "93.184.215.14"

_DNS = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "metadata.internal": ["169.254.169.254"],
    "half.example": [PUBLIC, "10.0.0.1"],
    "good.example": [PUBLIC],
}


async def look_up(host: str, _port: int) -> Sequence[str]:
    if host not in _DNS:
        # What the C library makes of `127.1` and the like.
        return [socket.inet_ntoa(socket.inet_aton(host))]
    return _DNS[host]


_watching: ContextVar[list[Any] | None] = ContextVar("_watching", default=None)
"""Of the test and all tasks that it starts: clients of other tests may connect at any time."""


def _see(event: str, arguments: tuple[Any, ...]) -> None:
    """Every connection of ours, before its first packet; none leaves this machine."""
    if event == "socket.connect" and (seen := _watching.get()) is not None:
        seen.append(arguments[1][:2])
        if not str(arguments[1][0]).startswith("127."):
            raise ConnectionRefusedError


sys.addaudithook(_see)


@contextmanager
def connections() -> Iterator[list[Any]]:
    seen: list[Any] = []
    before = _watching.set(seen)
    yield seen
    _watching.reset(before)


def hook(url: str, resolver: guard.Resolve = look_up, **more: object) -> Webhook:
    settings = {"url": url, "secrets": SECRET, "timeout_seconds": 2.0, **more}
    return Webhook(WebhookSettings.model_validate(settings), resolver)


def message() -> Message:
    record = requested("survey:1")
    data = decode_data(record.envelope)
    assert isinstance(data, ActionRequested)
    request = Requested(
        action="survey:1",
        event_key=record.key,
        envelope=record.envelope,
        data=data,
        attempt=1,
        asked_at=NOON,
    )
    return Message(
        id=uuid4(), request=request, channel="email", to="a@b.c", variables={}, rendered=None
    )


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_a_forbidden_target_is_never_connected_to(url: str) -> None:
    with connections() as seen:
        outcome = await hook(url).send(message())

    assert outcome == dead("forbidden_target")
    assert seen == []


async def test_a_public_address_is_connected_to_as_it_was_checked() -> None:
    with connections() as seen:
        outcome = await hook("https://good.example/hook").send(message())

    assert outcome == Later("connection")
    assert seen == [(PUBLIC, 443)]


class _Rebinding:
    """A name server that says something harmless once, and then what the attacker wants."""

    def __init__(self) -> None:
        self.asked = 0

    async def getaddrinfo(self, _host: str, port: int, **_: object) -> list[Any]:
        self.asked += 1
        address = PUBLIC if self.asked == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


async def _reaches_us_by_rebinding(monkeypatch: pytest.MonkeyPatch) -> bool:
    names = _Rebinding()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    with connections() as seen:
        await hook("https://evil.example:8443/", guard.resolve).send(message())
    monkeypatch.undo()
    assert seen
    return any(address == "127.0.0.1" for address, _ in seen)


async def test_a_name_that_changes_its_address_after_the_check_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not await _reaches_us_by_rebinding(monkeypatch)


async def test_to_check_and_then_resolve_again_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The mistake that is made most often, planted."""
    careful = guard.aim

    async def careless(url: str, *arguments: Any) -> Target:  # noqa: ANN401 - passed on
        target = await careful(url, *arguments)
        return Target(target.url.copy_with(host=target.host), target.host, target.netloc)

    monkeypatch.setattr(guard, "aim", careless)

    assert await _reaches_us_by_rebinding(monkeypatch)


async def test_a_redirect_into_our_network_is_not_followed() -> None:
    async with receiver(always(accept)) as inside:
        redirect = answering(302, f"location: {inside.origin}/admin")
        async with receiver(always(redirect)) as there:
            outcome = await hook(there.origin, allow=there.origin).send(message())

    assert outcome == Later("redirect")
    assert inside.connections == 0


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(always(accept)) as proxy, receiver(always(accept)) as there:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        outcome = await hook(there.origin, allow=there.origin).send(message())

    assert outcome == SENT
    assert proxy.connections == 0


async def _say_it_by_tls(folder: Path, host: str, name: str) -> tuple[Outcome, list[str]]:
    """To `host`, which shows a certificate for `name`."""
    trusted, context = certificate(folder, name)

    async def at_home(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with receiver(always(accept), context) as there:
        url = f"https://{host}:{there.port}/hook"
        outcome = await hook(url, at_home, allow=url, ca_file=trusted).send(message())
        return outcome, [one.headers["host"].partition(":")[0] for one in there.received]


async def test_an_allowed_host_is_met_under_its_own_name(tmp_path: Path) -> None:
    outcome, hosts = await _say_it_by_tls(tmp_path, "hooks.intranet", "hooks.intranet")

    assert (outcome, hosts) == (SENT, ["hooks.intranet"])


async def test_a_host_that_shows_another_name_is_told_nothing(tmp_path: Path) -> None:
    outcome, hosts = await _say_it_by_tls(tmp_path, "hooks.intranet", "other.intranet")

    assert (outcome, hosts) == (Later("connection"), [])


@pytest.mark.parametrize("told", ["hooks.intranet", "https://user@hooks.intranet", "ftp://x"])
def test_what_is_allowed_is_named_as_an_origin(told: str) -> None:
    allow: Callable[[], object] = lambda: hook("https://good.example/", allow=told)  # noqa: E731
    with pytest.raises(ForbiddenTargetError):
        allow()

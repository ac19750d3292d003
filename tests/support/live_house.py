"""The profile service on a TCP port of its own, and a screen that follows one customer live."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
from rapport_cli.stack.processes import free_port
from rapport_profile.main import create_app, make_resources
from rapport_profile.settings import LiveSettings
from rapport_runtime.http.auth import Keys
from rapport_runtime.serve import http_component
from rapport_runtime.settings import HttpSettings

from tests.support.profile_house import House, Secrets, settings_of

QUICK = LiveSettings(safety_seconds=120.0)
"""So long that what a test sees in time came by notification."""


@dataclass
class LiveHouse(House):
    """A house whose API is reached over TCP."""

    port: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    serving: asyncio.Task[None] | None = None

    def path(self, ref: str, query: str = "") -> str:
        return f"/v1/profiles/{ref}/stream{query}"


@asynccontextmanager
async def open_live_house(
    database: str, keyring: str, secrets: Secrets, live: LiveSettings = QUICK
) -> AsyncIterator[LiveHouse]:
    settings = settings_of(database, keyring, secrets).model_copy(update={"live": live})
    resources = make_resources(settings)
    app = create_app(settings, resources, Keys(secrets.keys_file))
    port, stop = free_port(), asyncio.Event()
    component = http_component(app, HttpSettings(port=port))
    serving = asyncio.create_task(component(stop))
    base = f"http://127.0.0.1:{port}"
    try:
        async with httpx2.AsyncClient(base_url=base, timeout=20) as client:
            await _until_ready(client, serving)
            yield LiveHouse(
                app, client, resources, app.state.library.keyring, secrets, port, stop, serving
            )
    finally:
        stop.set()
        await serving


async def _until_ready(client: httpx2.AsyncClient, serving: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(60):
        while not serving.done():
            try:
                await client.get("/livez")
            except httpx2.TransportError:
                await asyncio.sleep(0.02)
            else:
                return
    await serving


@dataclass(frozen=True)
class Said:
    """One event of a stream."""

    event: str
    id: str | None
    data: dict[str, Any]
    retry: int | None = None


async def events_of(lines: AsyncIterator[str]) -> AsyncIterator[Said | str]:
    """Events, and comments as they stand. What a torn connection left incomplete is not one."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line.startswith(":"):
            yield line[1:].strip()
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            retry = int(fields["retry"]) if "retry" in fields else None
            yield Said(fields["event"], fields.get("id"), orjson.loads(fields["data"]), retry)
            fields = {}


@dataclass
class Screen:
    """What an agent sees who keeps to the rules of docs/agents.md."""

    profile: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By event key."""
    last_id: str | None = None
    doubles: list[str] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)

    def take(self, said: Said) -> None:
        self.said.append(said)
        if said.event == "hello":
            self.profile = said.data["profile"]
            self._keep(set(self.profile["subjects"]))
        elif said.event == "change":
            self.profile |= said.data["profile"]
            self._keep(set(self.profile["subjects"]) - set(said.data["anew"]))
            for entry in said.data["entries"]:
                if entry["key"] in self.entries:
                    self.doubles.append(entry["key"])
                self.entries[entry["key"]] = entry
        self.last_id = said.id or self.last_id

    def _keep(self, subjects: set[str]) -> None:
        self.entries = {k: one for k, one in self.entries.items() if one["subject"] in subjects}

    @property
    def view(self) -> dict[str, Any]:
        """The profile without what changes by itself."""
        return {name: part for name, part in self.profile.items() if name != "meta"}


@asynccontextmanager
async def following(
    house: LiveHouse,
    ref: str,
    screen: Screen | None = None,
    *,
    caller: str = "agent",
    query: str = "",
    port: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[AsyncIterator[Said | str]]:
    """The events of a new connection, which resumes where the screen is; it takes each of them."""
    given = {"authorization": f"Bearer {house.secrets.keys[caller]}", **(headers or {})}
    if screen is not None and screen.last_id is not None:
        given["last-event-id"] = screen.last_id
    url = f"http://127.0.0.1:{port or house.port}{house.path(ref, query)}"

    async def taken(response: httpx2.Response) -> AsyncIterator[Said | str]:
        async for said in events_of(response.aiter_lines()):
            if screen is not None and isinstance(said, Said):
                screen.take(said)
            yield said

    async with (
        httpx2.AsyncClient(timeout=httpx2.Timeout(10, read=60)) as client,
        client.stream("GET", url, headers=given) as response,
    ):
        assert response.status_code == 200, await response.aread()
        yield taken(response)


async def until(events: AsyncIterator[Said | str], kind: str, seconds: float = 45) -> Said:
    """The next event of a kind; others are passed over."""
    async with asyncio.timeout(seconds):
        async for said in events:
            if isinstance(said, Said) and said.event == kind:
                return said
    raise AssertionError(f"the stream ended without {kind!r}")


async def whole_timeline(
    house: House, ref: str, caller: str = "agent"
) -> dict[str, dict[str, Any]]:
    """Every entry of the history, by event key."""
    path = f"/v1/profiles/{ref}/timeline?limit=200"
    entries: dict[str, dict[str, Any]] = {}
    cursor: str | None = ""
    while cursor is not None:
        page = await house.read(path + (f"&cursor={cursor}" if cursor else ""), caller)
        entries |= {entry["key"]: entry for entry in page["events"]}
        cursor = page["next_cursor"]
    return entries

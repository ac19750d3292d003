"""People with a link to their preferences, and what they send from its page."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import httpx2
from rapport_events.envelope import Record
from rapport_personalization.preferences.links import make_link, make_token

from tests.support.events import happened, record_of
from tests.support.personalization_house import House

FORM: Final = "application/x-www-form-urlencoded"
_HIDDEN: Final = re.compile(r'<input type="hidden" name="was-([^"]+)" value="([^"]*)">')
_TICKED: Final = re.compile(r'<input type="checkbox" name="([^"]+)" value="yes" checked>')
_PICKED: Final = re.compile(r'<select id="([^"]+)".*?<option value="([^"]*)" selected', re.DOTALL)
_CLOCK: Final = re.compile(r'<input type="time" id="([^"]+)" name="[^"]+" value="([^"]*)"')


@dataclass(frozen=True)
class Guest:
    """Somebody with a link."""

    house: House
    subject: str
    path: str

    async def open(self, query: str = "", **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.house.client.get(self.path + query, headers=named)

    async def send(self, fields: dict[str, str]) -> httpx2.Response:
        return await self.send_body(urlencode(fields).encode())

    async def send_body(self, body: bytes, kind: str = FORM) -> httpx2.Response:
        return await self.house.client.post(self.path, content=body, headers={"content-type": kind})

    async def choose(self, **changed: str) -> httpx2.Response:
        """Opens the page, changes these fields, and saves. `_` stands for a dot."""
        fields = filled(await self.open())
        for name, value in changed.items():
            change(fields, name, value)
        return await self.send(fields)

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Types and data of what others will hear."""
        return [
            (one.type.removesuffix(".v1"), data)
            for one, data in await self.house.told()
            if one.subject == self.subject
        ]

    async def hear(self) -> None:
        """What is on its way out comes back by the log."""
        await self.house.tell(await on_their_way(self.house))
        await self.house.execute("DELETE FROM outbox")


async def on_their_way(house: House) -> list[Record]:
    return [record_of(row["value"]) for row in await house.rows("SELECT value FROM outbox")]


async def guest(house: House, *told: Record, **identifiers: str) -> Guest:
    """A customer whom we know by an e-mail address, unless other `identifiers` are given."""
    kinds = identifiers or {"email": f"{uuid4()}@example.com"}
    subject = await house.person(**kinds)
    born = datetime.now(UTC) - timedelta(days=100)
    await house.tell(
        [happened("customer.created", subject, born, identifiedby=next(iter(kinds))), *told]
    )
    return Guest(house, subject, path_of(house, subject))


async def agreeing(house: House) -> Guest:
    """Agreed yesterday to marketing by mail."""
    found = await guest(house)
    fields = {"purpose": "marketing", "channel": "email"}
    at = datetime.now(UTC) - timedelta(days=1)
    await house.tell([happened("consent.granted", found.subject, at, fields=fields)])
    return found


def path_of(house: House, subject: str) -> str:
    link, _ = make_link(house.settings, house.keyring, subject, datetime.now(UTC))
    return urlsplit(link).path


def expired_path(house: House, subject: str) -> str:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return f"/p/{make_token(house.keyring.mac_local, subject, yesterday)}"


def filled(page: httpx2.Response) -> dict[str, str]:
    """The fields of the form as a browser would send them back untouched."""
    fields = {f"was-{name}": value for name, value in _HIDDEN.findall(page.text)}
    fields |= dict.fromkeys(_TICKED.findall(page.text), "yes")
    return fields | dict(_PICKED.findall(page.text)) | dict(_CLOCK.findall(page.text))


def change(fields: dict[str, str], name: str, value: str) -> None:
    name = name.replace("__", ".")
    if value:
        fields[name] = value
    else:
        fields.pop(name, None)


def heading(page: httpx2.Response) -> str:
    found = re.search(r"<h1[^>]*>([^<]*)</h1>", page.text)
    assert found, page.text
    return found[1]

"""The feedback API as a process of its own, and a browser in front of it."""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from rapport_cli.stack.processes import Command, Process, free_port, port_answers, until_ready

from tests.support.feedback_house import House, Secrets, open_house, settings_of

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")

NO_CHROMIUM: Final = "there is no chromium here; `apt-get install chromium` brings it"

PHONE: Final = (390, 844)
SMALL_PHONE: Final = (320, 568)
DESKTOP: Final = (1280, 900)

_PATIENCE: Final = 120.0
"""Seconds for a process to start, on a machine that does much else."""

_ARGUMENTS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Served:
    """`house` is the same service in this process, to arrange and look at things."""

    house: House
    url: str
    log: Path


@asynccontextmanager
async def served(
    databases: tuple[str, str], secrets: Secrets, log: Path, **environment: str
) -> AsyncIterator[Served]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    database, keyring = databases
    command = Command(
        name="feedback API",
        argv=(sys.executable, "-m", "rapport_feedback", "api"),
        log=log,
        env={
            "RAPPORT_HTTP__PORT": str(port),
            "RAPPORT_KAFKA__BOOTSTRAP": "127.0.0.1:1",
            "RAPPORT_DATABASE__URL": database,
            "RAPPORT_KEYRING__URL": keyring,
            "RAPPORT_KEYRING__MASTER_KEY": secrets.master_key,
            "RAPPORT_KEYS_FILE": str(secrets.keys_file),
            "RAPPORT_PUBLIC_URL": url,
            "RAPPORT_LOG__LEVEL": "debug",
            **environment,
        },
    )

    async def listens() -> bool:
        return await port_answers("127.0.0.1", port)

    api = Process(command)
    settings = settings_of(databases, secrets, None, public_url=url)
    async with open_house(settings, secrets) as house:
        api.start()
        try:
            await until_ready(api, listens, _PATIENCE)
            yield Served(house, url, log)
        finally:
            await api.stop()


class Visitor:
    """Somebody at a browser that runs no script, and what they would complain about."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))
        context.on("request", lambda request: self.requests.append(request.url))


@asynccontextmanager
async def open_browser(directory: Path) -> AsyncIterator[Browser]:
    """A Chromium that calls nobody by itself."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            headless=True,
            chromium_sandbox=False,
            args=list(_ARGUMENTS),
            downloads_path=directory,
            env={"HOME": str(directory), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser,
    size: tuple[int, int] = PHONE,
    **options: Any,  # noqa: ANN401 - Playwright's own
) -> AsyncIterator[Visitor]:
    """A visitor without a history; `options`: of Playwright's `new_context`."""
    width, height = size
    chosen: dict[str, Any] = {"java_script_enabled": False, "locale": "en-GB", **options}
    context = await browser.new_context(viewport={"width": width, "height": height}, **chosen)
    try:
        yield Visitor(context, await context.new_page())
    finally:
        await context.close()

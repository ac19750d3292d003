"""The preference page in a real browser: on a phone, without scripts, for everybody."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser

from tests.support.contrast import contrasts
from tests.support.fixtures import MakeDatabase
from tests.support.personalization_house import Callers, Databases, House, open_house
from tests.support.preferences import Guest, agreeing
from tests.support.survey_server import (
    CHROMIUM,
    DESKTOP,
    NO_CHROMIUM,
    PHONE,
    SMALL_PHONE,
    open_browser,
    visiting,
)
from tests.support.web_server import listening

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)

TAP = 44
READABLE = 4.5


@pytest.fixture(scope="module")
async def house(new_database: MakeDatabase, callers: Callers) -> AsyncIterator[House]:
    async with open_house(await Databases.make(new_database), callers) as opened:
        yield opened


@pytest.fixture(scope="module")
async def url(house: House) -> AsyncIterator[str]:
    async with listening(house.app) as url:
        yield url


@pytest.fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with open_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
async def ada(house: House) -> Guest:
    return await agreeing(house)


async def test_somebody_on_a_phone_takes_a_tick_away_and_saves(
    url: str, browser: Browser, ada: Guest
) -> None:
    async with visiting(browser, PHONE, has_touch=True, is_mobile=True) as visitor:
        page = visitor.page
        await page.goto(url + ada.path)
        offers = page.get_by_role("group", name="Offers and news")
        await offers.get_by_role("checkbox", name="E-mail").tap()
        await page.get_by_label("Time zone").select_option("Europe/Berlin")
        await page.get_by_label("From").fill("20:30")
        await page.get_by_role("button", name="Save").tap()

        await page.get_by_role("status").wait_for()
        assert not await offers.get_by_role("checkbox", name="E-mail").is_checked()
        assert await page.get_by_label("From").input_value() == "20:30"
        assert visitor.complaints == []
        assert {urlsplit(one).netloc for one in visitor.requests} == {urlsplit(url).netloc}
        assert await visitor.context.cookies() == []
    withdrawn, preferred = await ada.told()
    assert withdrawn[0] == "consent.withdrawn"
    assert preferred[1] == {"tz": "Europe/Berlin", "quiet_hours": "20:30-08:00"}


async def test_by_keyboard_alone_everything_can_be_stopped(
    url: str, browser: Browser, ada: Guest
) -> None:
    async with visiting(browser, DESKTOP) as visitor:
        page = visitor.page
        await page.goto(url + ada.path)
        await page.keyboard.press("Shift+Tab")
        while await page.evaluate("() => document.activeElement.value") != "stop":
            ring = await page.evaluate(
                "() => getComputedStyle(document.activeElement).outlineWidth"
            )
            assert ring in {"3px", "0px"}
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")

        await page.get_by_role("status").wait_for()
        assert await page.get_by_role("button", name="Stop").count() == 0
    assert [data["purpose"] for _, data in await ada.told()] == ["marketing"]


async def test_after_a_mistake_the_page_begins_with_what_is_wrong(
    url: str, browser: Browser, ada: Guest
) -> None:
    async with visiting(browser, PHONE) as visitor:
        page = visitor.page
        await page.goto(url + ada.path)
        await page.get_by_role("checkbox", name="E-mail").first.uncheck()
        await page.get_by_label("Until").fill("")
        await page.get_by_role("button", name="Save").click()

        await page.locator("#errors:focus").wait_for()
        assert (await page.title()).startswith("Error: ")
        assert not await page.get_by_role("checkbox", name="E-mail").first.is_checked()
        await page.get_by_role("link", name="Please give both times").click()
        await page.wait_for_function("() => location.hash === '#quiet_from'")


@pytest.mark.parametrize("size", [SMALL_PHONE, PHONE, DESKTOP])
async def test_everything_fits_and_can_be_hit_with_a_thumb(
    url: str, browser: Browser, ada: Guest, size: tuple[int, int]
) -> None:
    async with visiting(browser, size) as visitor:
        for query in ("?lang=en", "?lang=de"):
            await visitor.page.goto(url + ada.path + query)
            targets = visitor.page.locator(".option, button, select, input[type=time], a")
            boxes = [await one.bounding_box() for one in await targets.all()]

            assert len(boxes) >= 9
            for box in boxes:
                assert box is not None
                assert round(min(box["width"], box["height"])) >= TAP, box
            width = await visitor.page.evaluate("() => document.documentElement.scrollWidth")
            assert width <= size[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_can_be_read(
    url: str, browser: Browser, ada: Guest, scheme: str, tmp_path: Path
) -> None:
    async with visiting(browser, DESKTOP, color_scheme=scheme) as visitor:
        await visitor.page.goto(url + ada.path)
        found = await contrasts(visitor.page)
        await visitor.page.get_by_role("button", name="Save").click()
        await visitor.page.get_by_role("status").wait_for()
        found |= await contrasts(visitor.page)
        await visitor.page.screenshot(path=tmp_path / "saved.png", full_page=True)

        assert len(found) > 15
        assert {text: ratio for text, ratio in found.items() if ratio < READABLE} == {}


async def test_a_screen_reader_hears_what_each_tick_is_about(
    url: str, browser: Browser, ada: Guest
) -> None:
    async with visiting(browser) as visitor:
        await visitor.page.goto(url + ada.path)
        heard = await visitor.page.locator("main").aria_snapshot()

    for said in (
        'heading "How we may write to you" [level=1]',
        'group "Offers and news"',
        'checkbox "E-mail" [checked]',
        'group "About your orders and questions"',
        'checkbox "You may use what I buy and look at to suggest what suits me." [checked]',
        'combobox "Language"',
        'combobox "Time zone"',
        'group "Quiet hours"',
        'button "Save"',
        'button "Stop all offers and news"',
    ):
        assert said in heard, (said, heard)

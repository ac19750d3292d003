"""The survey page in a real browser: on a phone, without scripts, for whoever answers."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser

from tests.support.survey_page import Invited, invite
from tests.support.survey_server import (
    CHROMIUM,
    NO_CHROMIUM,
    PHONE,
    Served,
    visiting,
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)


@pytest.fixture
async def ada(api: Served) -> Invited:
    return await invite(api.house)


def network(complaint: str) -> bool:
    """Browsers report every answer other than 2xx, also where a page comes with it."""
    return complaint.startswith("Failed to load resource: the server responded with a status of")


async def test_a_score_tapped_in_the_message_is_one_tap_from_being_sent(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser, PHONE, has_touch=True, is_mobile=True) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}?score=9")
        await visitor.page.get_by_role("button", name="Send").tap()

        await visitor.page.get_by_role("heading", name="Thank you!").wait_for()
        assert visitor.complaints == []
    ((_, data),) = await ada.told()
    assert data.score == 9


async def test_the_page_asks_nobody_else_for_anything(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser, java_script_enabled=True) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}")
        await visitor.page.locator("button").click()
        await visitor.page.locator("#errors").wait_for()
        await visitor.page.get_by_role("radio", name="7").check(force=True)
        await visitor.page.locator("button").click()
        await visitor.page.get_by_role("heading", name="Thank you!").wait_for()
        await visitor.page.goto(f"{api.url}/s/nonsense")

        assert {urlsplit(one).netloc for one in visitor.requests} == {urlsplit(api.url).netloc}
        assert len(visitor.requests) == 4
        assert [one for one in visitor.complaints if not network(one)] == []
        assert await visitor.context.cookies() == []


async def test_after_a_mistake_the_page_begins_with_what_is_wrong(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser, PHONE) as visitor:
        page = visitor.page
        await page.goto(f"{api.url}{ada.path}")
        await page.get_by_label("Anything else?").fill("It was\nfine <3")
        await page.get_by_role("checkbox", name="The shop").check()
        await page.locator("button").click()

        # The page comes first, and its focus a moment later.
        await page.wait_for_function("() => document.activeElement?.id === 'errors'")
        assert (await page.title()).startswith("Error: ")
        assert await page.get_by_label("Anything else?").input_value() == "It was\nfine <3"
        assert await page.get_by_role("checkbox", name="The shop").is_checked()

        await page.get_by_role("link", name=re.compile("Would you recommend")).click()
        await page.wait_for_function("() => document.activeElement?.id === 'q-recommend'")
        await page.keyboard.press("Space")
        await page.locator("button").click()
        await page.get_by_role("heading", name="Thank you!").wait_for()
    ((_, data),) = await ada.told()
    assert (data.score, data.choices) == (0, {"liked": ["shop"]})
    assert await ada.words() == {"comment": "It was\nfine <3"}


async def test_a_visitor_can_change_the_language(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}")
        await visitor.page.get_by_role("link", name="Deutsch").click()
        await visitor.page.locator("html[lang=de]").wait_for()
        await visitor.page.locator("button").click()

        assert await visitor.page.locator("h2").inner_text() == "Bitte prüfen Sie Ihre Antwort"


async def test_sending_twice_is_one_answer(api: Served, browser: Browser, ada: Invited) -> None:
    async with visiting(browser) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}?score=9")
        await visitor.page.locator("button").click()
        await visitor.page.get_by_role("heading", name="Thank you!").wait_for()
        await visitor.page.reload()

        heading = visitor.page.get_by_role("heading")
        assert await heading.inner_text() == "You have already answered"
    assert len(await ada.told()) == 1


async def test_what_somebody_wrote_runs_in_no_browser(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser, java_script_enabled=True) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}")
        evil = "</textarea><img src=x onerror=\"document.title='evil'\"><script>1</script>"
        await visitor.page.locator("textarea").fill(evil)
        await visitor.page.locator("button").click()
        await visitor.page.locator("#errors").wait_for()

        assert await visitor.page.locator("textarea").input_value() == evil
        assert await visitor.page.locator("img, script").count() == 0
        assert "evil" not in await visitor.page.title()

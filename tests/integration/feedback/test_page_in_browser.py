"""The survey page in a real browser: on a phone, by keyboard, without scripts, for everybody."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.contrast import contrasts
from tests.support.feedback_house import Secrets, prepare_feedback
from tests.support.fixtures import MakeDatabase
from tests.support.survey_page import Invited, invite, questionnaire
from tests.support.survey_server import (
    CHROMIUM,
    DESKTOP,
    NO_CHROMIUM,
    PHONE,
    SMALL_PHONE,
    Served,
    open_browser,
    served,
    visiting,
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)

TAP = 44
READABLE = 4.5
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"


@pytest.fixture(scope="module")
async def api(
    new_database: MakeDatabase, secrets: Secrets, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    databases = await new_database(prepare_feedback), await new_database(migrate_keyring)
    async with served(databases, secrets, tmp_path_factory.mktemp("api") / "log") as api:
        yield api


@pytest.fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with open_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


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


async def test_the_whole_form_can_be_filled_by_keyboard_alone(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser, DESKTOP) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}")
        press = visitor.page.keyboard.press
        await press("Tab")
        for _ in range(8):
            await press("ArrowRight")
        await press("Tab")
        await press("Space")
        await press("Tab")
        await press("ArrowDown")
        await press("Tab")
        await press("Space")
        await press("Tab")
        await press("Tab")
        await visitor.page.keyboard.type("No mouse needed")
        await press("Tab")
        await press("Enter")

        await visitor.page.get_by_role("heading", name="Thank you!").wait_for()
        assert visitor.complaints == []
    ((_, data),) = await ada.told()
    assert (data.score, data.scores) == (8, {"speed": 1})
    assert data.choices == {"reason": ["people"], "liked": ["app"]}
    assert await ada.words() == {"comment": "No mouse needed"}


async def test_where_the_keyboard_is_can_be_seen(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser, DESKTOP) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}")
        for number in range(7):
            await visitor.page.keyboard.press("Tab")
            ring = await visitor.page.evaluate(
                "() => { const e = document.activeElement;"
                " const shown = e.matches('.scale input') ? e.nextElementSibling : e;"
                " return getComputedStyle(shown).outlineWidth; }"
            )
            assert ring == "3px", number


async def test_the_page_asks_nobody_else_for_anything(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser, java_script_enabled=True) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}")
        await visitor.page.locator("button").click()
        await visitor.page.get_by_role("radio", name="7").check(force=True)
        await visitor.page.locator("button").click()
        await visitor.page.get_by_role("heading", name="Thank you!").wait_for()
        await visitor.page.goto(f"{api.url}/s/nonsense")

        assert {urlsplit(one).netloc for one in visitor.requests} == {urlsplit(api.url).netloc}
        assert len(visitor.requests) == 4
        assert [one for one in visitor.complaints if not network(one)] == []
        assert await visitor.context.cookies() == []


@pytest.mark.parametrize("size", [SMALL_PHONE, PHONE, DESKTOP])
async def test_everything_fits_and_can_be_hit_with_a_thumb(
    api: Served, browser: Browser, size: tuple[int, int]
) -> None:
    ada = await invite(api.house, **questionnaire(title={"en": LONG, "de": LONG}))
    async with visiting(browser, size) as visitor:
        for path in (ada.path, f"{ada.path}?lang=de"):
            await visitor.page.goto(api.url + path)
            await visitor.page.locator("button").click()
            targets = visitor.page.locator(".scale label, .option, button, textarea, a")
            boxes = [await one.bounding_box() for one in await targets.all()]

            assert len(boxes) > 20
            for box in boxes:
                assert box is not None
                assert round(min(box["width"], box["height"])) >= TAP, box
            assert await scrolls_to(visitor.page) <= size[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_can_be_read(
    api: Served, browser: Browser, ada: Invited, scheme: str, tmp_path: Path
) -> None:
    async with visiting(browser, DESKTOP, color_scheme=scheme) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}?score=9")
        found = await contrasts(visitor.page)
        await visitor.page.screenshot(path=tmp_path / "form.png", full_page=True)
        await visitor.page.goto(f"{api.url}{ada.path}")
        await visitor.page.locator("button").click()
        found |= await contrasts(visitor.page)
        await visitor.page.screenshot(path=tmp_path / "mistake.png", full_page=True)

        assert len(found) > 15
        assert {text: ratio for text, ratio in found.items() if ratio < READABLE} == {}


async def test_a_screen_reader_hears_questions_answers_and_mistakes(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}?score=9")
        form = await visitor.page.locator("main").aria_snapshot()
        await visitor.page.goto(f"{api.url}{ada.path}")
        await visitor.page.locator("button").click()
        mistake = await visitor.page.locator("main").aria_snapshot()
        described = await description(visitor.page, "fieldset")

    for heard in (
        'heading "Your case with us" [level=1]',
        'radiogroup "Would you recommend us?"',
        'radio "9" [checked]',
        'radiogroup "What mattered most? (optional)"',
        'radio "The price"',
        'group "What did you like? (optional)"',
        'checkbox "The app"',
        'textbox "Anything else? (optional)"',
        'button "Send"',
    ):
        assert heard in form, heard
    assert "- alert:" in mistake
    assert 'link "Would you recommend us? \N{EN DASH} Please answer this question."' in mistake
    assert described == "Please answer this question. Not at all Certainly"


async def test_after_a_mistake_the_page_begins_with_what_is_wrong(
    api: Served, browser: Browser, ada: Invited
) -> None:
    async with visiting(browser, PHONE) as visitor:
        page = visitor.page
        await page.goto(f"{api.url}{ada.path}")
        await page.get_by_label("Anything else?").fill("It was\nfine <3")
        await page.get_by_role("checkbox", name="The shop").check()
        await page.locator("button").click()

        focused = await page.evaluate("() => document.activeElement.id")
        assert focused == "errors"
        assert (await page.title()).startswith("Error: ")
        assert await page.get_by_label("Anything else?").input_value() == "It was\nfine <3"
        assert await page.get_by_role("checkbox", name="The shop").is_checked()

        await page.get_by_role("link", name=re.compile("Would you recommend")).click()
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
        await visitor.page.locator("button").click()

        assert await visitor.page.locator("h2").inner_text() == "Bitte prüfen Sie Ihre Antwort"


async def test_sending_twice_is_one_answer(api: Served, browser: Browser, ada: Invited) -> None:
    async with visiting(browser) as visitor:
        await visitor.page.goto(f"{api.url}{ada.path}?score=9")
        await visitor.page.locator("button").click()
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

        assert await visitor.page.locator("textarea").input_value() == evil
        assert await visitor.page.locator("img, script").count() == 0
        assert "evil" not in await visitor.page.title()


async def scrolls_to(page: Page) -> int:
    width: int = await page.evaluate("() => document.documentElement.scrollWidth")
    return width


async def description(page: Page, selector: str) -> str:
    """What `aria-describedby` of the first such element points to."""
    text: str = await page.evaluate(
        "(selector) => document.querySelector(selector).getAttribute('aria-describedby')"
        ".split(' ').map(id => document.getElementById(id).innerText).join(' ')",
        selector,
    )
    return " ".join(text.split())

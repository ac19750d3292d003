"""The survey page for everybody: by keyboard, by thumb, by eye and by ear."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.support.contrast import contrasts
from tests.support.survey_page import Invited, invite, questionnaire
from tests.support.survey_server import (
    CHROMIUM,
    DESKTOP,
    NO_CHROMIUM,
    PHONE,
    SMALL_PHONE,
    Served,
    visiting,
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)

TAP = 44
READABLE = 4.5
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"


@pytest.fixture
async def ada(api: Served) -> Invited:
    return await invite(api.house)


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


@pytest.mark.parametrize("size", [SMALL_PHONE, PHONE, DESKTOP])
async def test_everything_fits_and_can_be_hit_with_a_thumb(
    api: Served, browser: Browser, size: tuple[int, int]
) -> None:
    ada = await invite(api.house, **questionnaire(title={"en": LONG, "de": LONG}))
    async with visiting(browser, size) as visitor:
        for path in (ada.path, f"{ada.path}?lang=de"):
            await visitor.page.goto(api.url + path)
            await visitor.page.locator("button").click()
            await visitor.page.locator("#errors").wait_for()
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
        await visitor.page.locator("#errors").wait_for()
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
        await visitor.page.locator("#errors").wait_for()
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

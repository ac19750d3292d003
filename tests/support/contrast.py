"""How well the texts of a page can be told from what is behind them.

Source: relative luminance and contrast ratio of WCAG 2.2, https://www.w3.org/TR/WCAG22/.
"""

import re
from typing import Final

from playwright.async_api import Page

_TEXTS: Final = """
() => {
    const seen = [];
    const behind = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return colour;
        }
        return getComputedStyle(document.body).backgroundColor;
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const text = node.textContent.trim();
        if (text) seen.push([text, getComputedStyle(node.parentElement).color,
            behind(node.parentElement)]);
    }
    return seen;
}
"""


async def contrasts(page: Page) -> dict[str, float]:
    """The contrast ratio of every text on the page."""
    return {
        text: ratio(_channels(ink), _channels(back))
        for text, ink, back in await page.evaluate(_TEXTS)
    }


def ratio(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: tuple[int, ...]) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", colour)[:3])

"""What a survey page says: to mistakes, in which language, and nothing that it should not."""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.feedback_house import (
    House,
    Secrets,
    open_house,
    prepare_feedback,
    settings_of,
)
from tests.support.fixtures import MakeDatabase
from tests.support.survey_page import Invited, heading, invite, questionnaire

PAGE_WEIGHT = 30_000


@pytest.fixture(scope="module")
async def house(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[House]:
    """One for all: everybody here has a link of their own."""
    databases = await new_database(prepare_feedback), await new_database(migrate_keyring)
    async with open_house(settings_of(databases, secrets), secrets) as house:
        yield house


@pytest.fixture
async def ada(house: House) -> Invited:
    return await invite(house)


async def test_what_was_typed_is_still_there_after_a_mistake(ada: Invited) -> None:
    sent = await ada.send(speed=2, liked=["shop"], reason="people", comment='<b>"Hi" & bye</b>')

    assert sent.status_code == 422
    assert "Please answer this question." in sent.text
    assert 'href="#q-recommend"' in sent.text
    assert len(re.findall(r'value="(?:2|shop|people)"[^>]* checked>', sent.text)) == 3
    assert "\n&lt;b&gt;&#34;Hi&#34; &amp; bye&lt;/b&gt;</textarea>" in sent.text
    assert await ada.told() == []
    assert (await ada.send(recommend=9)).status_code == 200


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"recommend": 11}, "Please choose a whole number from 0 to 10."),
        ({"recommend": "nine"}, "Please choose a whole number from 0 to 10."),
        ({"recommend": [9, 9]}, "Please choose a whole number from 0 to 10."),
        ({"recommend": 9, "speed": 0}, "Please choose a whole number from 1 to 5."),
        ({"recommend": 9, "reason": ["price", "people"]}, "Please choose one option only."),
        ({"recommend": 9, "reason": "weather"}, "Please choose one of the options."),
        ({"recommend": 9, "comment": "x" * 2_001}, "Please shorten this text to 2000 characters."),
        ({"recommend": " "}, "Please answer this question."),
    ],
)
async def test_a_mistake_is_explained(ada: Invited, answers: dict[str, object], said: str) -> None:
    sent = await ada.send("", **answers)

    assert sent.status_code == 422
    assert said in sent.text
    assert await ada.told() == []


async def test_fields_that_nobody_asked_for_are_passed_over(ada: Invited) -> None:
    sent = await ada.send_body(b"q-recommend=9&q-evil=1&recommend=1&utm_source=mail&=&&q-=")

    assert sent.status_code == 200
    ((_, data),) = await ada.told()
    assert (data.score, data.scores) == (9, None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 422),
        (b"\xff\xfe\x00", 400),
        (b"q-recommend=%ff", 400),
        (b"&".join([b"q-recommend=9"] * 5_000), 400),
        (b"q-recommend=9&q-comment=" + b"x" * 1_000_000, 422),
        (b"q-recommend=9&q-comment=" + b"x" * 1_100_000, 413),
        (b"q-recommend=9&q-comment=" + b"%00" * 1_000, 200),
    ],
)
async def test_any_bytes_get_a_clear_page(ada: Invited, body: bytes, code: int) -> None:
    sent = await ada.send_body(body)

    assert sent.status_code == code
    assert sent.headers["content-type"] == "text/html; charset=utf-8"
    assert len(await ada.told()) == (code == 200)


async def test_a_form_in_another_format_is_refused(ada: Invited) -> None:
    sent = await ada.send_body(b'{"q-recommend": 9}', content_type="application/json")

    assert sent.status_code == 415
    assert await ada.told() == []


async def test_a_text_may_hold_any_writing(ada: Invited) -> None:
    text = "Größe 🙈 \u202eevil\u202c 中文 <script>alert(1)</script>"

    assert (await ada.send(recommend=9, comment=text)).status_code == 200
    assert await ada.words() == {"comment": text}


async def test_another_language_keeps_the_score_that_was_tapped(house: House) -> None:
    ada = await invite(house)

    tapped = await ada.open("?score=9")
    (link,) = re.findall(r'<a href="([^"]+)" hreflang="de"', tapped.text)
    german = await ada.open(unescape(link))
    mistaken = await ada.send("?score=9", recommend=0, speed=7)

    assert '<html lang="de"' in german.text
    assert re.findall(r'name="q-recommend" value="(\d+)"[^>]* checked', german.text) == ["9"]
    assert '?lang=de&amp;score=0"' in mistaken.text
    assert '?lang=de"' in (await ada.open("?score=99")).text


async def test_the_page_speaks_the_language_of_the_invitation(house: House) -> None:
    ada = await invite(house)
    await ada.change("language = 'de'")

    page = await ada.open(accept_language="en-GB,en;q=0.9")
    mistake = await ada.send()
    asked_for = await ada.open("?lang=en")

    assert '<html lang="de"' in page.text
    assert heading(page) == "Ihr Anliegen bei uns"
    assert "Bitte beantworten Sie diese Frage." in mistake.text
    assert heading(asked_for) == "Your case with us"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-CH, en;q=0.5", "de"),
        ("ja, de;q=0.1, en;q=0.8", "en"),
        ("ja", "en"),
        ("de;q=0", "en"),
        (";;,,q=1,*", "en"),
        ("x" * 10_000, "en"),
    ],
)
async def test_without_a_known_language_the_browser_is_asked(
    ada: Invited, header: str, language: str
) -> None:
    await ada.change("language = NULL")

    assert f'<html lang="{language}"' in (await ada.open(accept_language=header)).text


async def test_words_in_another_language_than_the_page_say_so(house: House) -> None:
    ada = await invite(
        house,
        **questionnaire(
            title={"it": "Il tuo caso"},
            thanks={"it": "Grazie."},
            questions=[{"id": "score", "type": "score", "text": {"it": "Come è andata?"}}],
        ),
    )

    page = await ada.open(accept_language="nl")

    assert '<html lang="nl"' in page.text
    assert '<span lang="it" dir="auto">Come è andata?</span>' in page.text
    assert "Versturen" in page.text


async def test_the_page_is_safe_to_open(ada: Invited) -> None:
    for page in (await ada.open(), await ada.send(), await ada.send(recommend=9), await ada.open()):
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        for rule in ("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in policy
        assert "unsafe" not in policy
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["x-robots-tag"] == "noindex, nofollow"
        assert "set-cookie" not in page.headers
        assert "<script" not in page.text
        assert not re.search(r"https?://", page.text)


async def test_the_page_is_light(ada: Invited) -> None:
    for page in (await ada.open(), await ada.send()):
        assert len(page.content) <= PAGE_WEIGHT


async def test_nothing_of_the_person_is_on_the_page_or_in_its_address(ada: Invited) -> None:
    page = await ada.open()

    assert ada.subject not in page.text
    assert ada.survey not in page.text
    assert ada.subject not in ada.path

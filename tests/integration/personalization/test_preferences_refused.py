"""What nobody can do on the preference page, and what it gives away: nothing."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from rapport_personalization.preferences.links import make_token
from rapport_privacy.root import RootKey

from tests.support.personalization_house import House
from tests.support.preferences import Guest, agreeing, expired_path, filled, heading

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
DAY = timedelta(days=1)


@pytest.fixture
async def ada(house: House) -> Guest:
    return await agreeing(house)


async def test_who_was_erased_has_nothing_to_choose(ada: Guest) -> None:
    await ada.house.keyring.erase([ada.subject], certificate_id=str(uuid4()))

    shown, sent = await ada.open(), await ada.send(ONE_CLICK)

    for page in (shown, sent):
        assert page.status_code == 410
        assert heading(page) == "There is nothing to choose here any more"
    assert await ada.told() == []


async def test_links_that_are_none(ada: Guest) -> None:
    house = ada.house
    theirs = make_token(RootKey.new().mac_local, ada.subject, datetime.now(UTC) + DAY)
    survey = house.keyring.mac_local
    elsewhere = make_token(
        lambda _, payload: survey("survey link v1", payload), ada.subject, datetime.now(UTC) + DAY
    )
    for path, status in (
        (f"{ada.path[:-1]}A" if ada.path[-1] != "A" else f"{ada.path[:-1]}B", 404),
        (f"/p/{theirs}", 404),
        (f"/p/{elsewhere}", 404),
        ("/p/nonsense", 404),
        (expired_path(house, ada.subject), 410),
    ):
        bad = Guest(house, ada.subject, path)
        assert (await bad.open()).status_code == status, path
        assert (await bad.send(ONE_CLICK)).status_code == status, path
    assert await ada.told() == []


async def test_mistakes_are_told_and_nothing_is_lost(ada: Guest) -> None:
    page = await ada.choose(allow__marketing__email="", quiet_until="")

    assert page.status_code == 422
    assert "Please give both times" in page.text
    assert "allow.marketing.email" not in filled(page)
    assert await ada.told() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tz", "Mars/Olympus"),
        ("tz", "../../etc/passwd"),
        ("language", "xx"),
        ("preferred_channel", "owl"),
        ("quiet_from", "25:00"),
        ("quiet_from", "9"),
    ],
)
async def test_what_no_page_offers_is_refused(ada: Guest, name: str, value: str) -> None:
    fields = {**filled(await ada.open()), "was-preferred_channel": "", name: value}

    assert (await ada.send(fields)).status_code == 422
    assert await ada.told() == []


async def test_what_no_browser_sends_is_refused(ada: Guest) -> None:
    for body, kind, status in (
        (b"", "application/x-www-form-urlencoded", 400),
        (b"do=dance", "application/x-www-form-urlencoded", 400),
        (b"\xff=\xff", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x", 400),
        (b"--x", "multipart/form-data", 400),
        (b"a=" + b"b" * 1_100_000, "application/x-www-form-urlencoded", 413),
    ):
        assert (await ada.send_body(body, kind)).status_code == status, (body[:20], kind)
    assert await ada.told() == []


async def test_choices_that_the_page_did_not_show_do_not_count(ada: Guest) -> None:
    fields = {**filled(await ada.open()), "allow.marketing.pigeon": "yes", "was-birthday": "no"}
    fields |= {"was-allow.marketing.pigeon": "no", "allow.marketing.sms": "yes"}

    assert (await ada.send(fields)).status_code == 200
    assert await ada.told() == []


async def test_everybody_is_shown_a_language_they_read(ada: Guest) -> None:
    assert 'lang="de"' in (await ada.open(accept_language="de-AT,en;q=0.5")).text[:60]
    assert 'lang="en"' in (await ada.open(accept_language="fr")).text[:60]
    await ada.choose(language="de")

    page = await ada.open(accept_language="en")

    assert heading(page) == "Wie wir Ihnen schreiben dürfen"
    assert heading(await ada.open("?lang=en")) == "How we may write to you"


async def test_the_page_keeps_to_itself_and_is_light(ada: Guest) -> None:
    page = await ada.open()

    assert len(page.content) <= 30_000
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in page.headers
    assert "<script" not in page.text
    metrics = (await ada.house.client.get("/metrics")).text
    assert "/p/{token}" in metrics
    assert ada.path not in metrics

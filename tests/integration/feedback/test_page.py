"""What somebody with a link to a survey can do, and what becomes of what they send."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from rapport_events.codec import check
from rapport_feedback.tokens import make_token
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_privacy.root import RootKey

from tests.support.feedback_house import (
    House,
    Secrets,
    open_house,
    prepare_feedback,
    settings_of,
)
from tests.support.fixtures import MakeDatabase
from tests.support.survey_page import Invited, heading, invite, invite_one_more


@pytest.fixture(scope="module")
async def house(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[House]:
    """One for all: everybody here has a link of their own."""
    databases = await new_database(prepare_feedback), await new_database(migrate_keyring)
    async with open_house(settings_of(databases, secrets), secrets) as house:
        yield house


@pytest.fixture
async def ada(house: House) -> Invited:
    return await invite(house)


async def test_the_link_shows_the_questions(ada: Invited) -> None:
    page = await ada.open()

    assert page.status_code == 200
    assert heading(page) == "Your case with us"
    for text in ("Would you recommend us?", "Not at all", "The price", "Anything else?"):
        assert text in page.text
    assert page.text.count('type="radio" name="q-recommend"') == 11
    assert " checked" not in page.text


async def test_a_whole_answer_is_told_with_all_that_it_was_about(ada: Invited) -> None:
    done = await ada.send(
        recommend=9, speed=4, reason="people", liked=["app", "shop"], comment="Kind.\r\nFast."
    )

    assert (done.status_code, heading(done)) == (200, "Thank you!")
    assert "Many thanks from all of us." in done.text
    ((fact, data),) = await ada.told()
    assert (fact.subject, fact.channel, fact.initiatedby) == (ada.subject, "web", "customer")
    assert (data.kind, data.score, data.revision) == ("nps", 9, 1)
    assert (data.definition, data.about, data.channel) == ("after_case@1", "service", "email")
    assert data.ticket is not None
    assert data.agent == "eve"
    assert data.scores == {"speed": 4}
    assert data.choices == {"reason": ["people"], "liked": ["app", "shop"]}
    assert await ada.words() == {"comment": "Kind.\nFast."}


async def test_what_is_told_is_what_the_catalogue_allows(ada: Invited) -> None:
    await ada.send(recommend=0, liked="app", comment="<b>No</b>")

    ((_, data),) = await ada.told()
    told = {
        name: value
        for name, value in msgspec.to_builtins(data).items()
        if value is not None and name not in {"pii", "context"}
    }
    assert check("survey.responded.v1", told) == []


async def test_opening_the_link_is_no_vote(ada: Invited) -> None:
    for method in ("GET", "HEAD", "GET"):
        opened = await ada.house.client.request(method, f"{ada.path}?score=9")
        assert opened.status_code == 200

    assert await ada.told() == []
    assert (await ada.send(recommend=3)).status_code == 200


async def test_a_score_tapped_in_the_message_is_chosen_already(ada: Invited) -> None:
    page = await ada.open("?score=9")

    assert re.findall(r'name="q-(\w+)" value="(\d+)"[^>]* checked', page.text) == [
        ("recommend", "9")
    ]


@pytest.mark.parametrize("score", ["11", "-1", "nine", "9.5", "", "9" * 10_000, "%00", "%ff", "٩"])
async def test_a_score_that_is_none_chooses_nothing(ada: Invited, score: str) -> None:
    page = await ada.open(f"?score={score}")

    assert page.status_code in (200, 400)
    assert " checked" not in page.text


async def test_of_a_hundred_who_send_at_once_one_is_heard(ada: Invited) -> None:
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(ada.send(recommend=n % 11)) for n in range(100)]

    codes = sorted(one.result().status_code for one in tries)
    assert codes == [200] + [409] * 99
    assert len(await ada.told()) == 1


async def test_who_has_answered_is_told_so(ada: Invited) -> None:
    await ada.send(recommend=9)

    again, opened = await ada.send(recommend=1), await ada.open()

    assert (again.status_code, heading(again)) == (409, "You have already answered")
    assert (opened.status_code, heading(opened)) == (200, "You have already answered")
    ((_, data),) = await ada.told()
    assert data.score == 9


async def test_a_survey_ends(ada: Invited) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    token = make_token(ada.house.keyring.mac_local, ada.survey, past)
    late = Invited(ada.house, ada.survey, ada.subject, f"/s/{token}")

    sent, opened = await late.send(recommend=9), await late.open()

    assert (sent.status_code, heading(sent)) == (410, "This survey has ended")
    assert opened.status_code == 410
    assert await ada.told() == []


async def test_an_invitation_that_ended_ends_its_link(ada: Invited) -> None:
    await ada.change("expires_at = now() - interval '1 second'")

    assert (await ada.send(recommend=9)).status_code == 410
    assert await ada.told() == []


async def test_whoever_was_erased_leaves_no_answer(ada: Invited) -> None:
    await ada.house.keyring.erase([ada.subject], certificate_id=str(uuid4()))

    sent, opened = await ada.send(recommend=9, comment="me"), await ada.open()

    assert (sent.status_code, heading(sent)) == (410, "This survey is closed")
    assert opened.status_code == 410
    assert await ada.told() == []
    assert await ada.rows("answer") == []


async def test_a_link_that_is_not_ours_leads_nowhere(ada: Invited) -> None:
    whole = ada.path.removeprefix("/s/")
    foreign = make_token(RootKey.new().mac_local, ada.survey, datetime.now(UTC))
    nobody = make_token(ada.house.keyring.mac_local, str(uuid4()), datetime.now(UTC))

    for token in (whole[:-1], whole[:-1] + "~", whole + "A", foreign, nobody, "x", "%ff", "é"):
        link = Invited(ada.house, ada.survey, ada.subject, f"/s/{token}")
        for page in (await link.open(), await link.send(recommend=9)):
            assert (page.status_code, heading(page)) == (404, "This link does not work"), token
    assert await ada.told() == []


async def test_an_answer_that_cannot_be_saved_now_is_kept_on_the_page(ada: Invited) -> None:
    async with read_only(ada.house):
        refused = await ada.send(recommend=9, comment="precious words")

    assert refused.status_code == 503
    assert "Nothing you entered is lost" in refused.text
    assert "precious words</textarea>" in refused.text
    assert re.search(r'value="9"[^>]* checked>', refused.text)
    assert await ada.told() == []
    assert (await ada.send(recommend=9, comment="precious words")).status_code == 200


@asynccontextmanager
async def read_only(house: House) -> AsyncIterator[None]:
    """As after a failover: the database can be read, and not be written to."""
    url = urlsplit(house.settings.database.url.replace("+asyncpg", ""))
    switch = f"ALTER DATABASE {url.path.lstrip('/')} SET default_transaction_read_only = "
    connection = await asyncpg.connect(
        url.geturl(), server_settings={"default_transaction_read_only": "off"}
    )
    try:
        await connection.execute(f"{switch} on")
        await house.app.state.desk.pool.expire_connections()
        yield
    finally:
        await connection.execute(f"{switch} off")
        await house.app.state.desk.pool.expire_connections()
        await connection.close()


async def test_links_are_good_for_one_person_each(ada: Invited) -> None:
    bob = await invite_one_more(ada.house)

    await ada.send(recommend=1)
    await bob.send(recommend=10)

    assert [data.score for _, data in await ada.told()] == [1]
    assert [data.score for _, data in await bob.told()] == [10]


async def test_the_keyring_can_be_away_for_a_moment(ada: Invited) -> None:
    async with open_house(ada.house.settings, ada.house.secrets) as house:
        late = Invited(house, ada.survey, ada.subject, ada.path)
        house.keyring._pool.terminate()

        page, sent = await late.open(), await late.send(recommend=9)

        assert (page.status_code, heading(page)) == (503, "Please try again in a moment")
        assert (sent.status_code, page.headers["retry-after"]) == (503, "1")
    assert (await ada.send(recommend=9)).status_code == 200

"""What an agent sees of a customer."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest

from tests.support.events import NOON, days, happened, new_subject
from tests.support.privacy import a_name, an_email, people_of, resolved
from tests.support.profile_house import House
from tests.support.sealed import told


async def test_a_customer_is_read_by_any_of_their_names(house: House) -> None:
    user_id, email = a_name(), an_email()
    who = {"user_id": user_id, "email": email}
    created = await told(
        house.keyring, who, "customer.created", personal={"first_name": "Ada", "email": email}
    )
    ordered = await told(
        house.keyring, who, "order.placed", order="O-1", amount=4990, currency="EUR"
    )
    await house.tell(created, ordered)

    refs = (f"user_id:{user_id}", f"email:{email.upper()}", created.envelope.subject, "order:O-1")
    found = [await house.read(f"/v1/profiles/{ref}") for ref in refs]

    assert len({one["subject"] for one in found}) == 1
    assert found[0]["traits"]["first_name"]["value"] == "Ada"
    assert found[0]["traits"]["first_name"]["event"] == created.key.hex()
    assert {one["kind"]: one["value"] for one in found[0]["identities"]} == who
    assert found[0]["orders"]["value"] == {
        "EUR": {"orders": 1, "gross": 4990, "refunded": 0, "net": 4990}
    }


async def test_the_latest_word_on_a_trait_wins_however_late_it_arrives(house: House) -> None:
    who = {"user_id": a_name()}
    later = NOON + timedelta(hours=1)
    newer = await told(
        house.keyring, who, "customer.identified", later, personal={"traits": {"city": "Rome"}}
    )
    older = await told(
        house.keyring, who, "customer.identified", personal={"traits": {"city": "Bonn", "pet": 1}}
    )
    await house.tell(newer)
    await house.tell(older)

    profile = await house.read(f"/v1/profiles/user_id:{who['user_id']}?include=traits")

    assert profile["traits"]["city"]["value"] == "Rome"
    assert profile["traits"]["pet"]["value"] == 1
    assert "orders" not in profile


async def test_an_anonymous_visitor_who_signs_in_is_one_person(house: House) -> None:
    visitor, user_id = str(uuid4()), a_name()
    viewed = await told(house.keyring, {"anonymous_id": visitor}, "page.viewed", page="home")
    await house.tell(viewed)
    before = await house.read(f"/v1/profiles/anonymous_id:{visitor}")

    signed_in = await told(
        house.keyring,
        {"user_id": user_id, "anonymous_id": visitor},
        "customer.identified",
        NOON + days(1),
        personal={"traits": {"plan": "pro"}},
    )
    await house.tell(signed_in)
    both = [
        await house.read(f"/v1/profiles/{ref}")
        for ref in (f"user_id:{user_id}", f"anonymous_id:{visitor}", before["subject"])
    ]

    assert len({one["subject"] for one in both}) == 1
    assert both[0]["events"] == {"customer.identified.v1": 1, "page.viewed.v1": 1}
    assert len(both[0]["subjects"]) == 2


async def test_the_whole_view_of_a_busy_customer(house: House) -> None:
    who = {"user_id": a_name()}
    now = datetime.now(UTC)

    async def said(
        type_: str,
        ago: int,
        personal: dict[str, str] | None = None,
        channel: str | None = None,
        **clear: Any,  # noqa: ANN401 - the clear fields of any event
    ) -> None:
        at = now - days(ago)
        await house.tell(
            await told(house.keyring, who, type_, at, personal=personal, channel=channel, **clear)
        )

    await said("order.placed", 20, order="O-1", amount=5000, currency="EUR", channel="web")
    await said("order.refunded", 19, order="O-1", refund="r-1", amount=1000, currency="EUR")
    await said("ticket.created", 5, ticket="T-1", topic="delivery", priority="high")
    await said("ticket.message", 4, ticket="T-1", direction="in", channel="email")
    await said("call.offered", 3, call="c-1", topic="delivery", queue="main", channel="phone")
    await said("survey.responded", 2, survey="v-1", kind="nps", about="service", score=3,
               personal={"comment": "slow"})  # fmt: skip
    await said("note.added", 2, note="n-1", pinned=True, agent="eve", personal={"body": "call"})
    await said("task.created", 1, task="t-1", assignee="eve", personal={"title": "Ring Ada"})
    await said("commitment.made", 1, commitment="p-1", personal={"what": "A new parcel"})
    await said("consent.granted", 1, channel="email", purpose="marketing")
    profile = await house.read(f"/v1/profiles/user_id:{who['user_id']}")

    assert profile["lifecycle"]["stage"] == "new"
    assert profile["orders"]["value"]["EUR"]["net"] == 4000
    (ticket,) = profile["tickets"]["open"]
    assert (ticket["ticket"], ticket["last_message"]["direction"]) == ("T-1", "in")
    assert profile["calls"]["recent"][0]["outcome"] == "waiting"
    assert profile["satisfaction"][0]["comment"] == "slow"
    assert profile["notes"][0]["body"] == "call"
    assert profile["tasks"][0]["title"] == "Ring Ada"
    assert profile["commitments"][0]["what"] == "A new parcel"
    assert profile["last_touch"].keys() == {"web", "email", "phone"}


async def test_who_may_not_see_personal_data_sees_the_rest(house: House) -> None:
    who = {"user_id": a_name(), "email": an_email()}
    created = await told(
        house.keyring, who, "customer.created", segment="b2b", personal={"first_name": "Ada"}
    )
    noted = await told(house.keyring, who, "note.added", note="n", pinned=True,
                       personal={"body": "Prefers mornings"})  # fmt: skip
    await house.tell(created, noted)

    profile = await house.read(f"/v1/profiles/user_id:{who['user_id']}", "masked")

    assert profile["traits"]["segment"]["value"] == "b2b"
    assert profile["traits"]["first_name"]["value"] is None
    assert [one["value"] for one in profile["identities"]] == [None, None]
    assert profile["notes"][0]["body"] is None
    assert profile["meta"]["masked"] == [
        "identities[].value", "notes[].body", "traits.first_name",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ref", "kind"),
    [
        ("email:nobody.at.all@example.com", "email"),
        ("order:no-such-order", "order"),
        (new_subject(), "subject id"),
    ],
)
async def test_nobody_is_found_without_being_named(house: House, ref: str, kind: str) -> None:
    answer = await house.get(f"/v1/profiles/{ref}")

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (404, "customer_not_found")
    assert kind in problem["detail"]
    assert ref.rpartition(":")[2] not in answer.text


async def test_a_name_that_is_none_says_which_field_is_wrong(house: House) -> None:
    answer = await house.get("/v1/profiles/email:ada")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/ref"


async def test_a_part_that_does_not_exist_is_answered_with_the_one_meant(house: House) -> None:
    answer = await house.get(f"/v1/profiles/{new_subject()}?include=trait")

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_part")
    assert "did you mean traits?" in answer.json()["detail"]


async def test_a_question_that_does_not_exist_is_not_ignored(house: House) -> None:
    answer = await house.get(f"/v1/profiles/{new_subject()}?inlcude=traits")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/inlcude"


async def test_an_order_number_of_two_shops_names_both_customers(house: House) -> None:
    one, other = {"user_id": a_name()}, {"user_id": a_name()}
    await house.tell(
        await told(house.keyring, one, "order.placed", order="1001"),
        await told(house.keyring, other, "order.placed", order="1001"),
    )

    answer = await house.get("/v1/profiles/order:1001")

    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_ref")
    assert len(answer.json()["subjects"]) == 2


async def test_destroyed_keys_leave_a_profile_that_says_so(house: House) -> None:
    who = {"user_id": a_name()}
    noted = await told(house.keyring, who, "note.added", note="n", pinned=True,
                       personal={"body": "secret"})  # fmt: skip
    await house.tell(noted)
    person = await resolved(house.keyring, **who)

    await house.keyring.erase(people_of(person), certificate_id=str(uuid4()))
    profile = await house.read(f"/v1/profiles/{person.subject}")
    by_name = await house.get(f"/v1/profiles/user_id:{who['user_id']}")

    assert profile["notes"][0]["body"] == {"erased": True}
    assert profile["identities"] == []
    assert profile["meta"]["erased"] == ["notes[].body", "notes[].mentions"]
    assert by_name.status_code == 404


async def test_an_erased_customer_is_gone(house: House) -> None:
    who = {"user_id": a_name()}
    await house.tell(await told(house.keyring, who, "order.placed", order="O-gone"))
    erased = await told(house.keyring, who, "customer.erased", NOON + days(1), keys_destroyed=1)
    await house.tell(erased)

    answers = [
        await house.get(f"/v1/profiles/{ref}")
        for ref in (erased.envelope.subject, "order:O-gone", f"{erased.envelope.subject}/timeline")
    ]

    # That the order was theirs is not kept either.
    assert [answer.status_code for answer in answers] == [410, 404, 410]
    assert answers[0].json()["code"] == "customer_erased"


async def test_a_blob_of_another_event_is_shown_as_unreadable(house: House) -> None:
    who = {"user_id": a_name()}
    genuine = await told(house.keyring, who, "note.added", note="n", pinned=True,
                         personal={"body": "mine"})  # fmt: skip
    blob = genuine.envelope.data
    moved = happened(
        "note.added", genuine.envelope.subject, NOON + days(1),
        fields={"note": "m", "pinned": True}, pii=_pii(bytes(blob)),
    )  # fmt: skip
    await house.tell(genuine, moved)

    profile = await house.read(f"/v1/profiles/{genuine.envelope.subject}")

    assert [note["body"] for note in profile["notes"]] == [{"unreadable": True}, "mine"]


def _pii(data: bytes) -> dict[str, object]:
    blob: dict[str, object] = orjson.loads(data)["pii"]
    return blob

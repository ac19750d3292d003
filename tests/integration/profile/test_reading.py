"""What an agent sees of a customer."""

from datetime import timedelta

from tests.support.events import NOON
from tests.support.privacy import a_name, an_email
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
    assert {one["kind"]: one["value"] for one in found[0]["identities"]} == {
        "user_id": user_id,
        "email": email,
    }
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

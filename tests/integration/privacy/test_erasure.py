"""After an erasure nobody reads the person again, and nobody meets them under the same name."""

import asyncio
from uuid import uuid4

import pytest
from rapport_privacy.crypto import ERASED
from rapport_privacy.keyring import CertificateUsedError, Keyring, Resolved, Suppressed
from rapport_privacy.resolving import create, look_up

from tests.integration.privacy.conftest import OpenKeyring
from tests.support.privacy import a_name, an_email, people_of, resolved, rows_of

EVERYTHING = """
    SELECT 'alias' AS place, to_jsonb(a)::text AS row FROM alias a
    UNION ALL SELECT 'data_key', to_jsonb(k)::text FROM data_key k
    UNION ALL SELECT 'subject', to_jsonb(s)::text FROM subject s
    UNION ALL SELECT 'suppression', to_jsonb(h)::text FROM suppression h
    UNION ALL SELECT 'erasure', to_jsonb(e)::text FROM erasure e
    UNION ALL SELECT 'keyring_meta', to_jsonb(m)::text FROM keyring_meta m
    ORDER BY 1, 2
"""


def a_certificate() -> str:
    return f"erasure-{uuid4()}"


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_no_process_started_later_can_read_an_erased_person(
    open_keyring: OpenKeyring,
) -> None:
    keyring = await open_keyring()
    name, email = a_name(), an_email()
    ada = await resolved(keyring, user_id=name, email=email)
    bob = await resolved(keyring, user_id=a_name())

    done = await keyring.erase(people_of(ada), certificate_id=a_certificate())

    assert (done.subjects, done.keys_destroyed, done.aliases) == (2, 2, 2)
    for reader in (keyring, await open_keyring()):
        keys = await reader.keys([ada.key.kid, bob.key.kid])
        assert keys[ada.key.kid] is ERASED
        assert keys[bob.key.kid] is not ERASED
        assert await reader.identifiers(people_of(ada)) == {one: [] for one in people_of(ada)}
        assert await reader.find("email", email) is None
        assert await reader.resolve([{"user_id": name, "email": email}, {"email": email}]) == [
            Suppressed(("user_id", "email")),
            Suppressed(("email",)),
        ]


async def test_an_identifier_that_comes_with_an_erased_persons_is_not_kept(
    keyring: Keyring, keyring_url: str
) -> None:
    email, cookie = an_email(), a_name()
    ada = await resolved(keyring, email=email)
    await keyring.erase(people_of(ada), certificate_id=a_certificate())

    answer = await keyring.resolve([{"anonymous_id": cookie, "email": email}])

    assert answer == [Suppressed(("email",))]
    assert await keyring.find("anonymous_id", cookie) is None
    assert await rows_of(keyring_url, "SELECT * FROM alias") == []


async def test_a_process_that_runs_on_forgets_the_person_within_a_minute(
    open_keyring: OpenKeyring,
) -> None:
    clock = Clock()
    running, eraser = await open_keyring(clock=clock), await open_keyring()
    email = an_email()
    ada = await resolved(running, email=email)
    await running.keys([ada.key.kid])

    clock.seconds = 1.0
    await eraser.erase(people_of(ada), certificate_id=a_certificate())
    clock.seconds = 60.0

    assert await running.resolve([{"email": email}]) == [Suppressed(("email",))]
    assert await running.keys([ada.key.kid]) == {ada.key.kid: ERASED}


async def test_a_new_name_is_not_linked_to_a_person_who_is_only_remembered(
    open_keyring: OpenKeyring,
) -> None:
    running, eraser = await open_keyring(), await open_keyring()
    email, cookie = an_email(), a_name()
    ada = await resolved(running, email=email)

    await eraser.erase(people_of(ada), certificate_id=a_certificate())

    assert await running.resolve([{"anonymous_id": cookie, "email": email}]) == [
        Suppressed(("email",))
    ]
    assert await running.find("anonymous_id", cookie) is None


async def test_a_cache_that_would_remember_longer_is_refused(open_keyring: OpenKeyring) -> None:
    with pytest.raises(ValueError, match="at most 60"):
        await open_keyring(cache_seconds=61)


async def test_a_dry_run_counts_and_changes_nothing(keyring: Keyring, keyring_url: str) -> None:
    ada = await resolved(keyring, user_id=a_name(), email=an_email(), phone="+4930123456")
    before = await rows_of(keyring_url, EVERYTHING)

    plan = await keyring.erase(people_of(ada), certificate_id="c-1", dry_run=True)

    assert plan.at is None
    assert (plan.subjects, plan.keys_destroyed, plan.aliases) == (3, 3, 3)
    assert await rows_of(keyring_url, EVERYTHING) == before
    done = await keyring.erase(people_of(ada), certificate_id="c-1")
    assert (done.subjects, done.keys_destroyed, done.aliases) == (3, 3, 3)


async def test_an_erasure_whose_answer_was_lost_can_be_repeated(keyring: Keyring) -> None:
    ada = await resolved(keyring, user_id=a_name())
    certificate = a_certificate()

    done = await keyring.erase(people_of(ada), certificate_id=certificate)
    again = await keyring.erase(people_of(ada), certificate_id=certificate)

    assert again == done
    assert len(await keyring.export_ledger()) == 1


async def test_one_certificate_is_not_given_for_two_erasures(keyring: Keyring) -> None:
    ada, bob = await resolved(keyring, user_id=a_name()), await resolved(keyring, user_id=a_name())
    certificate = a_certificate()
    await keyring.erase(people_of(ada), certificate_id=certificate)

    with pytest.raises(CertificateUsedError, match=certificate):
        await keyring.erase(people_of(bob), certificate_id=certificate)

    assert (await keyring.keys([bob.key.kid]))[bob.key.kid] is not ERASED


async def test_the_keys_are_gone_from_the_disk_after_a_vacuum(
    keyring: Keyring, keyring_url: str
) -> None:
    """The last row of a page is the one whose bytes a plain VACUUM leaves behind."""
    bob, ada = await resolved(keyring, user_id=a_name()), await resolved(keyring, user_id=a_name())
    keys = await rows_of(keyring_url, "SELECT kid::text, wrapped FROM data_key")
    wrapped = {row["kid"]: row["wrapped"] for row in keys}

    await keyring.erase(people_of(ada), certificate_id=a_certificate())
    await keyring.vacuum()

    await rows_of(keyring_url, "CHECKPOINT")
    (file,) = await rows_of(
        keyring_url, "SELECT pg_read_binary_file(pg_relation_filepath('data_key')) AS content"
    )
    assert wrapped[bob.key.kid] in file["content"]
    assert wrapped[ada.key.kid] not in file["content"]


async def test_whoever_waited_for_an_erasure_to_end_sees_it(
    open_keyring: OpenKeyring,
) -> None:
    """The narrow window: nothing known at the first look, created and erased by others since."""
    late, quick = await open_keyring(), await open_keyring()
    email = an_email()
    index = late._root.blind_index("email", email)

    async with late._engine.connect() as tx:
        assert await look_up(tx, late._root, [index]) == {}
        ada = await resolved(quick, email=email)
        await quick.erase(people_of(ada), certificate_id=a_certificate())
        created = await create(tx, late._root, {index: ("email", email)})

    assert created is None
    assert await late.resolve([{"email": email}]) == [Suppressed(("email",))]


@pytest.mark.usefixtures("_patient")
async def test_erasing_while_others_write_leaves_no_trace_of_the_person(
    open_keyring: OpenKeyring, keyring_url: str
) -> None:
    writers = [await open_keyring(cache_seconds=0) for _ in range(2)]
    eraser = await open_keyring()

    async def write(keyring: Keyring, event: dict[str, str]) -> list[Resolved | Suppressed]:
        return [answer for _ in range(3) for answer in await keyring.resolve([event])]

    async def one_round() -> dict[str, str]:
        event = {"user_id": a_name(), "email": an_email()}
        ada = await resolved(eraser, **event)
        backwards = dict(reversed(event.items()))
        *answers, _ = await asyncio.gather(
            write(writers[0], event),
            write(writers[1], backwards),
            eraser.erase(people_of(ada), certificate_id=a_certificate()),
        )
        for answer in (one for many in answers for one in many):
            assert isinstance(answer, Suppressed) or answer.subject == ada.subject
        return event

    erased = []
    for _ in range(50):
        erased += await asyncio.gather(*(one_round() for _ in range(4)))

    afterwards = await (await open_keyring()).resolve(erased)
    assert len(erased) == 200
    assert afterwards == [Suppressed(("user_id", "email"))] * 200
    assert await rows_of(keyring_url, "SELECT * FROM alias") == []
    assert await rows_of(keyring_url, "SELECT * FROM data_key") == []
    assert len(await eraser.export_ledger()) == 200

"""Readers find people and their keys, and make nobody."""

from uuid import UUID

import pytest
from rapport_privacy.crypto import seal, unseal
from rapport_privacy.keyring import ERASED, DataKey, Erased, Keyring
from rapport_privacy.reading import Pool

from tests.integration.privacy.conftest import OpenKeyring
from tests.support.privacy import a_name, an_email, resolved


async def test_a_lookup_creates_nobody(keyring: Keyring) -> None:
    name, email = a_name(), an_email()

    assert await keyring.find("user_id", name) is None
    ada = await resolved(keyring, user_id=name)

    assert await keyring.find("user_id", name) == ada.subject
    assert await keyring.find("email", email) is None


async def test_many_are_looked_up_at_once(open_keyring: OpenKeyring) -> None:
    keyring, another = await open_keyring(), await open_keyring()
    ada, bob = a_name(), a_name()
    first, second = await resolved(keyring, user_id=ada), await resolved(another, user_id=bob)

    found = await keyring.find_many([("user_id", ada), ("user_id", bob), ("email", "no@body.de")])

    assert found == {("user_id", ada): first.subject, ("user_id", bob): second.subject}
    assert await keyring.find_many([]) == {}


async def test_readers_can_show_what_a_person_is_called(open_keyring: OpenKeyring) -> None:
    keyring, reader = await open_keyring(), await open_keyring()
    name, email = a_name(), an_email()
    ada = await resolved(keyring, user_id=name, email=email)
    assert ada.subject is not None

    shown = await reader.identifiers([ada.subject, *ada.linked])

    (as_user,), (as_mail,) = shown[ada.subject], shown[ada.linked[0]]
    assert (as_user.kind, as_user.value) == ("user_id", name)
    assert (as_mail.kind, as_mail.value) == ("email", email)
    assert as_user.since.tzinfo is not None
    assert email not in repr(as_mail)


async def test_a_reader_gets_the_keys_it_asks_for(open_keyring: OpenKeyring) -> None:
    keyring, reader = await open_keyring(), await open_keyring()
    ada = await resolved(keyring, user_id=a_name())
    blob = seal(ada.key, subject=ada.subject, event_id="e", type_="t", plaintext=b"secret")

    keys = await reader.keys([ada.key.kid])
    reader._pool.terminate()  # what is remembered needs no database
    again = await reader.keys({ada.key.kid})

    key = keys[ada.key.kid]
    assert again == keys
    assert isinstance(key, DataKey)
    assert unseal(key, blob, subject=ada.subject, event_id="e", type_="t") == b"secret"


@pytest.mark.parametrize("kid", ["", "no-uuid", "0B0F6F0E-6D6C-4D52-8D0F-6D1F0C9B1A11", "\0", "é"])
async def test_a_key_id_that_somebody_made_up_is_no_key(keyring: Keyring, kid: str) -> None:
    assert await keyring.keys([kid]) == {}


async def test_what_is_new_about_people_is_sealed_with_their_own_keys(
    open_keyring: OpenKeyring,
) -> None:
    keyring, writer = await open_keyring(), await open_keyring()
    ada, bob = await resolved(keyring, user_id=a_name()), await resolved(keyring, user_id=a_name())
    subjects = [str(ada.subject), str(bob.subject)]

    keys = await writer.keys_of(subjects)
    writer._pool.terminate()  # what is remembered needs no database
    again = await writer.keys_of(subjects)

    assert again == keys
    assert [_kid(keys[subject]) for subject in subjects] == [ada.key.kid, bob.key.kid]
    for subject in subjects:
        key = keys[subject]
        assert isinstance(key, DataKey)
        blob = seal(key, subject=subject, event_id="e", type_="t", plaintext=b"secret")
        (found,) = (await keyring.keys([key.kid])).values()
        assert isinstance(found, DataKey)
        assert unseal(found, blob, subject=subject, event_id="e", type_="t") == b"secret"


async def test_nothing_new_can_be_sealed_about_an_erased_person(open_keyring: OpenKeyring) -> None:
    keyring, late = await open_keyring(), await open_keyring()
    ada, bob = await resolved(keyring, user_id=a_name()), await resolved(keyring, user_id=a_name())
    assert isinstance((await late.keys_of([str(ada.subject)]))[str(ada.subject)], DataKey)

    await late.erase([str(ada.subject)], certificate_id=a_name())

    # By the process that had the key in its memory, and by one that starts now.
    for reader in (late, await open_keyring()):
        keys = await reader.keys_of([str(ada.subject), str(bob.subject)])
        assert keys[str(ada.subject)] is ERASED
        assert _kid(keys[str(bob.subject)]) == bob.key.kid


@pytest.mark.parametrize("subject", ["", "no-uuid", "\0", "é", str(UUID(int=7))])
async def test_a_subject_that_nobody_was_given_has_no_key(keyring: Keyring, subject: str) -> None:
    assert await keyring.keys_of([subject]) == {}


async def test_the_keys_of_many_people_are_one_question(keyring: Keyring) -> None:
    people = [await resolved(keyring, user_id=a_name()) for _ in range(20)]
    pool = _CountingPool(keyring._pool)
    keyring._keys._pool = pool

    keys = await keyring.keys_of([str(one.subject) for one in people])

    assert len(keys) == len(people)
    assert pool.asked == 1


class _CountingPool:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.asked = 0

    async def fetch(self, query: str, *arguments: object) -> object:
        self.asked += 1
        return await self._pool.fetch(query, *arguments)


def _kid(key: DataKey | Erased) -> str:
    assert isinstance(key, DataKey)
    return key.kid

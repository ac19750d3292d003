"""Whose event it is, given what is known of its identifiers."""

from rapport_privacy.crypto import ERASED
from rapport_privacy.resolving import Known, Resolved, Standing, Suppressed, answer, to_create

from tests.support.privacy import a_data_key

USER, MAIL, COOKIE = Known("u", a_data_key()), Known("m", a_data_key()), Known("c", a_data_key())
EVENT = {"anonymous_id": b"c", "email": b"m", "user_id": b"u"}


def test_an_event_belongs_to_the_strongest_and_links_the_others() -> None:
    known: dict[bytes, Standing] = {b"u": USER, b"m": MAIL, b"c": COOKIE}

    assert answer(EVENT, known) == Resolved(
        "u", ("c", "m"), USER.key, ("user_id", "anonymous_id", "email")
    )


def test_one_identifier_links_nobody() -> None:
    assert answer({"email": b"m"}, {b"m": MAIL}) == Resolved("m", (), MAIL.key, ("email",))


def test_an_event_that_names_an_erased_person_tells_by_which_kinds_only() -> None:
    known: dict[bytes, Standing] = {b"u": USER, b"m": ERASED}

    assert answer(EVENT, known) == Suppressed(("email",))


def test_a_new_identifier_beside_an_erased_persons_is_not_made() -> None:
    known: dict[bytes, Standing] = {b"m": ERASED}

    assert to_create([EVENT], known) == set()


def test_a_new_identifier_is_made_when_another_event_names_it_alone() -> None:
    known: dict[bytes, Standing] = {b"m": ERASED, b"u": USER}

    assert to_create([EVENT, {"anonymous_id": b"c"}], known) == {b"c"}

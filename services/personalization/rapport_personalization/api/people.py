"""The customer whom a caller names."""

from collections.abc import Sequence

from rapport_privacy.crypto import Erased
from rapport_privacy.naming import NotANameError, subject_named
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.people import Person, read_persons

from rapport_personalization.desk import Desk


class CustomerUnreadableError(ApiError):
    """What was given names nobody."""

    status_code = 422

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"customer: {reason}", errors=[FieldError("/customer", reason, place=place)]
        )


class CustomerUnknownError(ApiError):
    """Nothing is known of anybody by this name."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(
            "nobody is known by this name; the customer is named as the events name them"
        )


class CustomerErasedError(ApiError):
    """There was such a customer, who does not want to be known any more."""

    status_code = 410

    def __init__(self) -> None:
        super().__init__("this customer was erased; nothing is kept of them, reasons neither")


async def members_of(desk: Desk, named: str, place: str = "query") -> Sequence[str]:
    """All subjects of the person; none when nobody is known. Raises CustomerUnreadableError."""
    person = await _find(desk, named, place)
    return () if person is None else person.members


async def person_of(desk: Desk, named: str, place: str = "body") -> Person:
    """Raises CustomerUnreadableError, CustomerUnknownError, CustomerErasedError."""
    person = await _find(desk, named, place)
    if person is None:
        raise CustomerUnknownError
    if person.erased:
        raise CustomerErasedError
    return person


async def living_person(desk: Desk, named: str) -> Person:
    """Of whom the keyring knows too: it hears of an erasure before the log has told.

    Raises CustomerUnreadableError, CustomerUnknownError, CustomerErasedError.
    """
    person = await person_of(desk, named, "path")
    keys = await desk.keyring.keys_of(person.members)
    if not keys:
        raise CustomerUnknownError
    if any(isinstance(key, Erased) for key in keys.values()):
        raise CustomerErasedError
    return person


async def _find(desk: Desk, named: str, place: str) -> Person | None:
    try:
        subject = await subject_named(desk.keyring, named)
    except NotANameError as error:
        raise CustomerUnreadableError(place, str(error)) from None
    if subject is None:
        return None
    return (await read_persons(desk.pool, [subject])).of(subject)

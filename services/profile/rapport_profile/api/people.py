"""From the name that a caller gives to the person it means."""

from typing import Final

from rapport_runtime.http.problems import ApiError

from rapport_profile import queries
from rapport_profile.api.visit import Visit
from rapport_profile.queries import Person
from rapport_profile.ref import SUBJECT, Ref

SHOWN: Final = 20
"""Customers that an ambiguous name is told to lead to."""


class CustomerNotFoundError(ApiError):
    """Nobody is known by what was given."""

    status_code = 404

    def __init__(self, kind: str) -> None:
        named = "subject id" if kind == SUBJECT else kind
        super().__init__(
            f"no event has been seen of a customer with this {named}; check the spelling, "
            "and send the consistency token if you have just sent the event"
        )


class CustomerErasedError(ApiError):
    """There was such a customer; what was personal has been erased."""

    status_code = 410

    def __init__(self) -> None:
        super().__init__("this customer's personal data was erased; nothing is left to read")


class AmbiguousRefError(ApiError):
    """Several customers have a thing of this id, as two shops may both have an order 1001."""

    status_code = 409

    def __init__(self, kind: str, subjects: list[str]) -> None:
        super().__init__(
            f"{len(subjects)} customers have a {kind} of this id; "
            f"read one of them by subject, or search /v1/profiles?{kind}=…",
            members={"subjects": subjects},
        )


async def locate(visit: Visit, ref: Ref) -> str:
    """The subject that is meant; the database may know it as part of a person.

    Raises CustomerNotFoundError, AmbiguousRefError, KeyringUnavailableError.
    """
    if ref.is_subject:
        return ref.value
    if ref.is_thing:
        return await _owner(visit, ref)
    subject = await visit.library.keyring.find(ref.kind, ref.value)
    if subject is None:
        raise CustomerNotFoundError(ref.kind)
    return subject


def readable(person: Person | None, ref: Ref) -> Person:
    """Raises CustomerNotFoundError, CustomerErasedError."""
    if person is None:
        raise CustomerNotFoundError(ref.kind)
    if is_erased(person):
        raise CustomerErasedError
    return person


def is_erased(person: Person) -> bool:
    return person.is_erased


async def _owner(visit: Visit, ref: Ref) -> str:
    owners = await queries.load_owners(visit.library.pool, ref.kind, ref.value, SHOWN)
    if not owners:
        raise CustomerNotFoundError(ref.kind)
    if len(owners) > 1:
        raise AmbiguousRefError(ref.kind, owners)
    return owners[0]

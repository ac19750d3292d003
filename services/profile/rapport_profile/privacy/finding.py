"""From what a person gave as their name to everything that is the same person."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from rapport_runtime.http.problems import ApiError

from rapport_profile.privacy import store
from rapport_profile.privacy.erasing import Desk
from rapport_profile.privacy.request import PrivacyRequest
from rapport_profile.ref import SUBJECT, THINGS, MalformedRefError, Ref, criterion


class PersonNotFoundError(ApiError):
    """Nobody is known by what was given."""

    status_code = 404

    def __init__(self, kinds: Sequence[str]) -> None:
        super().__init__(
            f"nobody is known by this {' or '.join(kinds)}; check the spelling, and send the "
            "consistency token if you have just sent the event"
        )


class AlreadyErasedError(ApiError):
    """The person was erased before: there is nothing left to give or to destroy."""

    status_code = 410

    def __init__(self, certificate_id: str | None) -> None:
        told = "" if certificate_id is None else f", as certificate {certificate_id} says"
        super().__init__(
            f"this person was erased already{told}; nothing is left",
            members={"certificate_id": certificate_id},
        )


class SeveralPeopleError(ApiError):
    """The identifiers belong to different people, and only their owner knows who asks."""

    status_code = 409

    def __init__(self, kinds: Sequence[str], people: Sequence[str]) -> None:
        super().__init__(
            f"the identifiers ({', '.join(kinds)}) belong to {len(people)} different people; "
            "send one request for each, or merge them first; if you have just sent what links "
            "them, send its consistency token along",
            members={"subjects": people},
        )


class Found(NamedTuple):
    """A person, by all subjects of theirs; `unknown`: kinds that were given and name nobody."""

    subjects: Sequence[str]
    unknown: Sequence[str]


def parse_identifiers(given: Mapping[str, str]) -> list[Ref]:
    """In the keyring's spelling. Raises MalformedRefError."""
    refs = []
    for kind, value in given.items():
        if kind == SUBJECT or kind in THINGS:
            raise _no_identifier(kind)
        try:
            refs.append(criterion(kind, value, name=kind, place="body"))
        except MalformedRefError as error:
            [told] = error.errors
            error.errors = [told._replace(pointer=f"/identifiers/{_escaped(kind)}")]
            raise
    return refs


async def find(desk: Desk, refs: Sequence[Ref]) -> Found:
    """Everybody whom the refs name, if that is one person.

    Raises PersonNotFoundError, AlreadyErasedError, SeveralPeopleError, KeyringUnavailableError.
    """
    kinds = [ref.kind for ref in refs]
    located = await _locate(desk, refs)
    if not located:
        raise await _nobody(desk, refs, kinds)
    async with desk.resources.engine.connect() as connection:
        persons = await store.load_persons(connection, located.values())
        people = {persons.get(subject, frozenset({subject})) for subject in located.values()}
        if len(people) > 1:
            raise SeveralPeopleError(kinds, sorted(min(one) for one in people))
        [subjects] = people
        erasure = await store.load_erasure_of(connection, subjects)
    if erasure is not None:
        raise AlreadyErasedError(erasure.id)
    await _require_known(desk, subjects, persons, kinds)
    return Found(sorted(subjects), [ref.kind for ref in refs if ref not in located])


async def living(desk: Desk, request: PrivacyRequest) -> list[str]:
    """All subjects of the request's person now. Raises AlreadyErasedError."""
    async with desk.resources.engine.connect() as connection:
        persons = await store.load_persons(connection, request.subjects)
        subjects = frozenset(request.subjects).union(*persons.values())
        erasure = await store.load_erasure_of(connection, subjects)
    if erasure is not None:
        raise AlreadyErasedError(erasure.id)
    return sorted(subjects)


async def _locate(desk: Desk, refs: Sequence[Ref]) -> dict[Ref, str]:
    named = [(ref.kind, ref.value) for ref in refs if ref.is_identifier]
    found = await desk.keyring.find_many(named) if named else {}
    located = {Ref(*name): subject for name, subject in found.items()}
    return located | {ref: ref.value for ref in refs if ref.is_subject}


async def _nobody(desk: Desk, refs: Sequence[Ref], kinds: Sequence[str]) -> ApiError:
    erased = await desk.keyring.erased_as([(ref.kind, ref.value) for ref in refs])
    for certificate in erased.values():
        # An identifier that came to light late has a certificate below the person's.
        return AlreadyErasedError(certificate.partition("/")[0])
    return PersonNotFoundError(kinds)


async def _require_known(
    desk: Desk,
    subjects: Collection[str],
    persons: Mapping[str, frozenset[str]],
    kinds: Sequence[str],
) -> None:
    """A subject id of the right form may be anything; the keyring knows those that it gave."""
    if persons:
        return
    identifiers = await desk.keyring.identifiers(subjects)
    if not any(identifiers.values()):
        raise PersonNotFoundError(kinds)


def _no_identifier(kind: str) -> MalformedRefError:
    error = MalformedRefError(f"{kind} does not name a person", name=kind, place="body")
    [told] = error.errors
    error.errors = [told._replace(pointer=f"/identifiers/{_escaped(kind)}")]
    return error


def _escaped(step: str) -> str:
    return step[:64].replace("~", "~0").replace("/", "~1")

"""An erasure, step by step. Each step may be done twice; a crash between two loses nothing.

Keys first: they are what makes everything else unreadable. Then the events that were accepted
before are waited for, since one of them may name a further identifier of the person. Only then
it is published, and the projection forgets who was one person with whom.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog
from rapport_privacy.headfile import LedgerHeadFileError, write_head
from rapport_privacy.keyring import Keyring
from rapport_runtime import outbox
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.progress import Place
from rapport_runtime.settings import Settings
from rapport_runtime.subscription import Resources

from rapport_profile.consumer import SUBSCRIPTION
from rapport_profile.domain.claims import Erasure
from rapport_profile.privacy import store
from rapport_profile.privacy.ends import load_ends
from rapport_profile.privacy.previous import purge_previous
from rapport_profile.privacy.request import (
    ACCEPTED,
    COMPLETED,
    ERASING,
    PURGING,
    PrivacyRequest,
    erased_events,
    is_purged,
)

_MOST_STEPS: Final = 50

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What requests are carried out with; one per process."""

    resources: Resources
    keyring: Keyring

    @property
    def settings(self) -> Settings:
        return self.resources.settings


async def carry_on(desk: Desk, request: PrivacyRequest, wait: float = 0.0) -> PrivacyRequest:
    """As far as it can be brought now; `wait`: seconds for events that are on their way.

    Raises KeyringUnavailableError. While Kafka or a projection is away, the request stays where
    it is.
    """
    for _ in range(_MOST_STEPS):
        further = await _step(desk, request, wait)
        if further is None:
            return request
        request = further
    return request


async def _step(desk: Desk, request: PrivacyRequest, wait: float) -> PrivacyRequest | None:
    """The request one step further, or None when nothing can be done at the moment."""
    if request.dry_run or request.kind != "erasure":
        return None
    if request.status == ACCEPTED:
        return await _destroy(desk, request)
    if request.status == ERASING:
        return await _settle(desk, request, wait)
    if request.status == PURGING:
        return await _complete(desk, request)
    return None


async def _destroy(desk: Desk, request: PrivacyRequest) -> PrivacyRequest | None:
    erased = await desk.keyring.erase(request.subjects, certificate_id=request.id)
    failpoint("after_keys_destroyed")
    await _remember_head(desk)
    findings = msgspec.structs.replace(
        request.findings,
        key_ids=erased.key_ids,
        identifiers=erased.aliases,
        destroyed_at=erased.at,
    )
    _log.info("person erased", certificate=request.id, subjects=len(request.subjects))
    return await _moved(
        desk, request, msgspec.structs.replace(request, status=ERASING, findings=findings)
    )


async def _settle(desk: Desk, request: PrivacyRequest, wait: float) -> PrivacyRequest | None:
    until = request.findings.until
    if until is None:
        return await _look_for_ends(desk, request)
    wanted = {(topic, n): end for topic, ends in until.items() for n, end in ends.items()}
    if not await _reached(desk, wanted, wait):
        return None
    async with desk.resources.engine.connect() as connection:
        persons = await store.load_persons(connection, request.subjects)
    found = frozenset().union(*persons.values()) - set(request.subjects)
    if found:
        return await _destroy_more(desk, request, sorted(found))
    now = datetime.now(UTC)
    published = msgspec.structs.replace(
        request,
        status=PURGING,
        findings=msgspec.structs.replace(request.findings, published_at=now),
    )
    return await _moved(desk, request, published, publish=True)


async def _look_for_ends(desk: Desk, request: PrivacyRequest) -> PrivacyRequest | None:
    try:
        ends = await load_ends(desk.settings)
    except WAITED_FOR as error:
        if not is_environment(error):
            raise
        _log.warning("erasure waits for kafka", certificate=request.id)
        return None
    findings = msgspec.structs.replace(request.findings, until=ends)
    return await _moved(desk, request, msgspec.structs.replace(request, findings=findings))


async def _reached(desk: Desk, wanted: Mapping[Place, int], wait: float) -> bool:
    resources = desk.resources
    # A partition that nothing was ever put into has no position.
    waiting = {place: end for place, end in wanted.items() if end}
    return await resources.progress.wait_for(resources.engine, SUBSCRIPTION.name, waiting, wait)


async def _destroy_more(
    desk: Desk, request: PrivacyRequest, found: list[str]
) -> PrivacyRequest | None:
    """Identifiers that came to light late: theirs too, and look again for what they bring."""
    findings = request.findings
    kids, identifiers = list(findings.key_ids), findings.identifiers
    for subject in found:
        erased = await desk.keyring.erase([subject], certificate_id=f"{request.id}/{subject}")
        kids += erased.key_ids
        identifiers += erased.aliases
    await _remember_head(desk)
    return await _moved(
        desk,
        request,
        msgspec.structs.replace(
            request,
            subjects=[*request.subjects, *found],
            findings=msgspec.structs.replace(
                findings, key_ids=kids, identifiers=identifiers, until=None
            ),
        ),
    )


async def _complete(desk: Desk, request: PrivacyRequest) -> PrivacyRequest | None:
    async with desk.resources.engine.connect() as connection:
        purges = await store.load_purges(connection, request.subjects)
    done = msgspec.structs.replace(
        request,
        status=COMPLETED,
        finished_at=datetime.now(UTC),
        findings=msgspec.structs.replace(request.findings, purges=purges),
    )
    if not is_purged(done):
        return None
    await _purge_previous(desk, request)
    return await _moved(desk, request, done)


async def _purge_previous(desk: Desk, request: PrivacyRequest) -> None:
    at = request.findings.destroyed_at
    assert at is not None  # noqa: S101 - it was published
    erased = dict.fromkeys(request.subjects, Erasure(at, request.id))
    await purge_previous(desk.resources.engine, desk.settings, erased)


async def _moved(
    desk: Desk, before: PrivacyRequest, after: PrivacyRequest, *, publish: bool = False
) -> PrivacyRequest | None:
    """Commits the step; None when another process has taken it."""
    async with desk.resources.engine.begin() as tx:
        if not await store.move_on(tx, before, after):
            return None
        if publish:
            await outbox.add(tx, erased_events(after))
    return after


async def _remember_head(desk: Desk) -> None:
    """Without this note an older backup of the keyring would pass for the newest."""
    keyring = desk.settings.keyring
    path = keyring.ledger_head_file if keyring is not None else None
    if path is None:
        return
    head = await desk.keyring.ledger_head()
    try:
        write_head(path, head)
    except (OSError, LedgerHeadFileError) as error:
        _log.error("ledger head not written", reason=type(error).__name__, number=head.number)

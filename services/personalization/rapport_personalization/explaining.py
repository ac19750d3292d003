"""Works a decision out again from the events of one customer: by the function that took it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace
from rapport_runtime.people import Person
from rapport_runtime.pool import Snapshot

from rapport_personalization.domain.calendar import calendar_candidates
from rapport_personalization.domain.candidates import catalogue, hold, settled
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.deciding import decide, examine, ids_of
from rapport_personalization.domain.decision import Decision, Gate, Past
from rapport_personalization.domain.entries import day_known_since, entry_gates
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.replay import derived
from rapport_personalization.domain.scene import Candidate
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.reading import Kept, remembered

_MOMENTS: Final = """
SELECT seq, event_key, value, birthday FROM moment
WHERE subject_id = ANY($1::text[]::uuid[]) AND time <= $2
"""

_DECISIONS: Final = """
SELECT id, trigger, version, policies, person::text, anchor, thing, at, due, send_at, decided_at,
    rank, kind, outcome, arm, scope, shadow, cause, known_seq
FROM decision WHERE person = ANY($1::text[]::uuid[])
"""

_YEAR: Final = timedelta(days=366)
_AN_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of one customer up to an instant."""

    person: Person
    at: datetime
    moments: Sequence[tuple[int, Moment]]
    """With the number under which each arrived."""
    decisions: Sequence[Mapping[str, Any]]

    def logged(self, candidate: Candidate, policies: Policies) -> Mapping[str, Any] | None:
        """What was decided on this occasion, under whichever id of the person."""
        wanted = self._ids(candidate, policies)
        return next((row for row in self.decisions if row["id"] in wanted), None)

    def before(self, row: Mapping[str, Any]) -> list[Past]:
        """What was known to be decided when this was: what came in late may be due earlier."""
        turn = (row["decided_at"], _past(row).order)
        found = [(one["decided_at"], _past(one)) for one in self.decisions]
        return [past for at, past in found if (at, past.order) < turn]

    def beside(self, candidate: Candidate, rank: int, policies: Policies) -> list[Past]:
        """What a decision that was not taken, of this rank, would have come after.

        Without what another version decided on the same occasion, in whose place it would be.
        """
        own = self._ids(candidate, policies)
        turn = (candidate.send_at, rank, candidate.person, candidate.anchor)
        found = [_past(row) for row in self.decisions if row["id"] not in own]
        return [past for past in found if past.order < turn]

    def customer(self, now: datetime) -> Customer:
        """As of an instant, by all that is known."""
        return folded(self.person.key, [one for _, one in self.moments if one.at <= now])

    def _ids(self, candidate: Candidate, policies: Policies) -> set[bytes]:
        ids = ids_of(candidate.trigger, candidate.anchor, self.person.members, policies)
        return {bytes.fromhex(one) for one in ids.values()}


@dataclass(frozen=True, slots=True)
class Explanation:
    """`verdict`: an outcome, `waiting` or `no_candidate`."""

    verdict: str
    candidate: Candidate | None
    gates: Sequence[Gate]
    gate: str | None
    logged: Mapping[str, Any] | None
    agrees: bool | None
    moments: int

    @property
    def shadow(self) -> bool | None:
        """Whether what was decided was without effect; None where nothing was."""
        return None if self.logged is None else bool(self.logged["shadow"])


async def load_case(snap: Snapshot, person: Person, at: datetime) -> Case:
    members = list(person.members)
    rows = await snap.fetch(_MOMENTS, members, at)
    moments = [(row[0], remembered(Kept(*row))) for row in rows]
    return Case(person, at, moments, await snap.fetch(_DECISIONS, members))


def occasion(
    case: Case,
    trigger: Trigger,
    policies: Policies,
    anchor: str | None = None,
    since: datetime | None = None,
) -> Candidate | None:
    """The last one whose time had come by then; else the first of those that waited.

    `anchor`: only of these; the thing that they are about names them too. `since`: of days of the
    calendar none before it, and none before they were known, unless they were decided on.
    """
    moments = [one for _, one in case.moments]
    key = case.person.key
    found = derived(catalogue([trigger]), key, moments, policies)
    if trigger.on.calendar is not None:
        found += _days(case, trigger, policies, since)
    all_ = [one for one in settled(trigger, found) if anchor in (None, one.anchor, one.thing)]
    due = [one for one in all_ if one.send_at <= case.at]
    if due:
        return due[-1]
    return all_[0] if all_ else None


def _days(
    case: Case, trigger: Trigger, policies: Policies, since: datetime | None
) -> list[Candidate]:
    moments = [one for _, one in case.moments]
    customer = folded(case.person.key, moments)
    known = day_known_since(trigger, customer, moments)
    if known is None:
        return []
    start, end = case.at - _YEAR, case.at + _AN_INSTANT
    found = calendar_candidates(trigger, customer, start, end, policies)
    first = known if since is None else max(known, since)
    return [one for one in found if one.due >= first or case.logged(one, policies) is not None]


def explain(
    case: Case,
    trigger: Trigger,
    candidate: Candidate | None,
    policies: Policies,
    anchor: str | None = None,
) -> Explanation:
    """What the gates say of an occasion by what is known; `trigger` is the version to ask.

    `anchor`: which occasion was asked for, if there is none.
    """
    if candidate is None:
        moments = [one for _, one in case.moments]
        gates = entry_gates(trigger, case.person.key, moments, policies, anchor)
        failed = next((gate.name for gate in gates if not gate.passed), None)
        return Explanation("no_candidate", None, gates, failed, None, None, len(moments))
    candidate, customer = _held(case, trigger, candidate, policies)
    now = min(candidate.send_at, case.at)
    past = case.beside(candidate, trigger.rank, policies)
    gates = examine(trigger, candidate, customer, past, policies, now=now)
    failed = next((gate.name for gate in gates if not gate.passed), None)
    if candidate.send_at > case.at:
        return Explanation("waiting", candidate, gates, failed, None, None, len(case.moments))
    found = decide(trigger, candidate, customer, past, policies, now=now)
    return Explanation(found.outcome, candidate, gates, failed, None, None, len(case.moments))


def _held(
    case: Case, trigger: Trigger, candidate: Candidate, policies: Policies
) -> tuple[Candidate, Customer]:
    """It waits on where the quiet hours have changed meanwhile; and the customer by then."""
    customer = case.customer(min(candidate.send_at, case.at))
    while candidate.send_at <= case.at:
        later = hold(trigger, customer, candidate.send_at, policies)
        if later <= candidate.send_at:
            break
        candidate = replace(candidate, send_at=later)
        customer = case.customer(min(later, case.at))
    return candidate, customer


def explain_logged(
    case: Case, trigger: Trigger, row: Mapping[str, Any], policies: Policies
) -> Explanation:
    """The same of a decision that was taken, by what was known then: it must come out alike."""
    candidate = Candidate(
        trigger=row["trigger"],
        version=row["version"],
        person=row["person"],
        anchor=row["anchor"],
        thing=row["thing"],
        at=row["at"],
        due=row["due"],
        send_at=row["send_at"],
        key=row["cause"],
    )
    now = candidate.send_at
    known = [one for seq, one in case.moments if seq <= row["known_seq"] and one.at <= now]
    customer = folded(candidate.person, known)
    past = case.before(row)
    # How much was left of a budget is no fact about the customer: that is taken from the record.
    left = 0 if row["outcome"] == "no_budget" else None
    found: Decision = decide(
        trigger, candidate, customer, past, policies,
        now=now, decided_at=row["decided_at"], budget_left=left,
    )  # fmt: skip
    asked = {gate.name for gate in found.gates}
    rest = examine(trigger, candidate, customer, past, policies, now=now)
    gates = [*found.gates, *(gate for gate in rest if gate.name not in asked)]
    agrees = (found.outcome, found.gate) == (row["outcome"], _gate(row))
    return Explanation(found.outcome, candidate, gates, found.gate, row, agrees, len(known))


def _gate(row: Mapping[str, Any]) -> str | None:
    return None if row["outcome"] == "sent" else str(row["outcome"])


def _past(row: Mapping[str, Any]) -> Past:
    return Past(**{one.name: row[one.name] for one in fields(Past)})

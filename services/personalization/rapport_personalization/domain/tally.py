"""What a back-test comes to: how many, when, what was left out and why, and what else they got."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from rapport_personalization.domain.decision import Decision, Past
from rapport_personalization.domain.plan import Logged, Plan, Relived

_SAMPLES: Final = 3
"""Of each outcome so many are shown with all their gates."""


@dataclass(slots=True)
class Tally:
    """Adds up; people come one after the other, each with all of their decisions."""

    people: int = 0
    contacted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    days: dict[str, Counter[str]] = field(default_factory=dict)
    """By day, in UTC."""
    hours: Counter[datetime] = field(default_factory=Counter)
    within_a_day: Counter[str] = field(default_factory=Counter)
    same_day: Counter[str] = field(default_factory=Counter)
    overlapping: int = 0
    agreement: Counter[str] = field(default_factory=Counter)
    samples: Counter[str] = field(default_factory=Counter)

    def add(self, found: Sequence[Relived]) -> list[bool]:
        """For each whether it is one of the samples."""
        self.people += len({one.decision.person for one in found})
        self.contacted += len({o.decision.person for o in found if o.decision.outcome == "sent"})
        return [self._add(one) for one in found]

    def _add(self, one: Relived) -> bool:
        decision = one.decision
        self.outcomes[decision.outcome] += 1
        day = decision.send_at.astimezone(UTC).date().isoformat()
        self.days.setdefault(day, Counter())[decision.outcome] += 1
        if decision.outcome == "sent":
            self._send(decision, one.beside)
        if self.samples[decision.outcome] >= _SAMPLES:
            return False
        self.samples[decision.outcome] += 1
        return True

    def _send(self, decision: Decision, beside: Iterable[Past]) -> None:
        at = decision.send_at.astimezone(UTC)
        self.channels[decision.channel or "task"] += 1
        self.hours[at.replace(minute=0, second=0, microsecond=0)] += 1
        near = {one.trigger for one in beside}
        self.overlapping += bool(near)
        self.within_a_day.update(near)
        self.same_day.update(
            {one.trigger for one in beside if one.send_at.astimezone(UTC).date() == at.date()}
        )

    def compare(self, plan: Plan, found: Sequence[Relived], logged: Sequence[Logged]) -> None:
        """With what was decided, where the version was in force."""
        if plan.force is None:
            return
        ours = {(one.decision.person, one.decision.anchor): one.decision.past for one in found}
        theirs = {
            (one.past.person, one.past.anchor): one.past for one in logged if _is_asked(plan, one)
        }
        for name in ours.keys() | theirs.keys():
            self.agreement[_verdict(ours.get(name), theirs.get(name))] += 1

    def document(self) -> Mapping[str, object]:
        """As it is kept."""
        peak = max(self.hours.items(), key=lambda one: (one[1], one[0]), default=None)
        return {
            "people": self.people,
            "contacted": self.contacted,
            "outcomes": dict(self.outcomes),
            "channels": dict(self.channels),
            "days": [{"day": day, "outcomes": dict(self.days[day])} for day in sorted(self.days)],
            "hours": [_hour(one) for one in sorted(self.hours.items())],
            "peak": None if peak is None else _hour(peak),
            "overlapping": self.overlapping,
            "overlap": [
                {
                    "trigger": name,
                    "within_24h": self.within_a_day[name],
                    "same_day": self.same_day[name],
                }
                for name in sorted(self.within_a_day)
            ],
            "agreement": dict(self.agreement),
        }


def _hour(one: tuple[datetime, int]) -> dict[str, object]:
    return {"hour": one[0].isoformat(), "sent": one[1]}


def _is_asked(plan: Plan, one: Logged) -> bool:
    return (
        one.past.trigger == plan.trigger.id
        and one.version == plan.trigger.version
        and plan.start <= one.past.send_at < plan.end
    )


def _verdict(ours: Past | None, theirs: Past | None) -> str:
    if ours is None:
        return "only_logged"
    if theirs is None:
        return "only_here"
    return "same" if ours == theirs else "differing"

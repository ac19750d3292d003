"""Simulated time: what triggers decide about a list of events, and whether that is as expected.

`python -m rapport_personalization.simulate [FOLDER]` runs the scenarios of a folder of triggers.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ValidationError

from rapport_personalization import marked, stories
from rapport_personalization.documents import FOLDER, load
from rapport_personalization.domain.candidates import catalogue
from rapport_personalization.domain.decision import Decision
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.replay import replay
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.marked import MarkedError
from rapport_personalization.problems import InvalidTriggerError, nearest, path_of
from rapport_personalization.schemas.scenario import (
    ExpectPart,
    ScenarioPart,
    ScenariosDocument,
)
from rapport_personalization.schemas.trigger import seconds
from rapport_personalization.stories import ScenarioError

_EVERYBODY: Final = 10_000


class Failure(NamedTuple):
    """A scenario that came out differently, or could not be read."""

    file: str
    scenario: str
    said: str

    def __str__(self) -> str:
        story = f" {self.scenario!r}" if self.scenario else ""
        return f"{self.file}{story}\n" + "\n".join(f"    {row}" for row in self.said.split("\n"))


@dataclass(frozen=True, slots=True)
class Report:
    """Of all scenarios of a folder."""

    triggers: int
    passed: int
    failures: Sequence[Failure]
    untested: Sequence[str]
    """Triggers without a scenario."""

    @property
    def is_green(self) -> bool:
        return not self.failures and not self.untested

    def __str__(self) -> str:
        rows = [str(one) for one in self.failures]
        rows += [f"{name}: no scenario tells what it does" for name in self.untested]
        told = self.passed + len(self.failures)
        rows.append(f"{self.triggers} triggers, {told} scenarios, {len(self.failures)} failed")
        return "\n".join(rows)


def run_scenarios(folder: Path = FOLDER) -> Report:
    """All `scenarios/*.yaml` of a folder of triggers, against its triggers."""
    try:
        triggers = {one.id: one for one in load(folder)}
    except InvalidTriggerError as error:
        return Report(0, 0, [Failure(str(folder), "", str(error))], [])
    failures: list[Failure] = []
    passed, tested = 0, set()
    for path in sorted((folder / "scenarios").glob("*.yaml")):
        try:
            document = _read(path)
        except ScenarioError as error:
            failures.append(Failure(path.name, "", str(error)))
            continue
        tested.add(document.trigger)
        for scenario in document.scenarios:
            said = _differs(scenario, document.trigger, triggers)
            if said is None:
                passed += 1
            else:
                failures.append(Failure(path.name, scenario.name, said))
    return Report(len(triggers), passed, failures, sorted(triggers.keys() - tested))


def simulate(
    triggers: Iterable[Trigger], moments: Iterable[Moment], policies: Policies, until: datetime
) -> Iterator[Decision]:
    """All decisions about all people, each person's in order. Who is who is said by `subject`."""
    known = catalogue(triggers)
    people: dict[str, list[Moment]] = {}
    for moment in moments:
        if moment.type in known.types:
            people.setdefault(moment.subject, []).append(moment)
    for person, own in people.items():
        yield from replay(known, person, own, policies, until)


def _read(path: Path) -> ScenariosDocument:
    try:
        source = marked.read(path.read_text(encoding="utf-8"))
        return ScenariosDocument.model_validate(source.value)
    except MarkedError as error:
        raise ScenarioError(str(error)) from None
    except ValidationError as error:
        rows = []
        for one in error.errors(include_url=False):
            place = source.place(one["loc"])
            rows.append(f"{place.line}:{place.column}: {path_of(one['loc'])}: {one['msg']}")
        raise ScenarioError("\n".join(rows)) from None


def _differs(scenario: ScenarioPart, name: str, triggers: Mapping[str, Trigger]) -> str | None:
    """What is not as expected; None: nothing."""
    unknown = [one for one in (name, *scenario.beside) if one not in triggers]
    if unknown:
        hint = nearest(unknown[0], triggers)
        return f"there is no trigger `{unknown[0]}`" + (f"; did you mean `{hint}`?" if hint else "")
    start = datetime.fromisoformat(scenario.start)
    policies = Policies(
        global_holdout=_EVERYBODY if scenario.held_out else 0, clv_top=scenario.clv_top
    )
    live = [replace(triggers[one], holdout=0) for one in (name, *scenario.beside)]
    try:
        moments = stories.moments(scenario, start)
    except ScenarioError as error:
        return str(error)
    until = start + seconds(scenario.until)
    found = [one for one in simulate(live, moments, policies, until) if one.trigger == name]
    wanted = [_wanted(one, start) for one in scenario.expect]
    got = [_got(one, like) for one, like in zip(found, scenario.expect, strict=False)]
    got += [_got(one, None) for one in found[len(scenario.expect) :]]
    if got == wanted:
        return None
    return "\n".join(_told(start, wanted, got, found))


def _told(
    start: datetime, wanted: Sequence[str], got: Sequence[str], found: Sequence[Decision]
) -> Iterator[str]:
    yield "expected:"
    yield from (f"  {one}" for one in wanted) if wanted else iter(["  nothing"])
    yield f"decided (it begins {start:%Y-%m-%d %H:%M}):"
    if not got:
        yield "  nothing"
    for text, decision in zip(got, found, strict=True):
        yield f"  {text}"
        for gate in decision.gates:
            if not gate.passed:
                missing = f"; unknown: {', '.join(gate.missing)}" if gate.missing else ""
                yield f"    stopped by {gate.name}: {gate.value}{missing}"
            if gate.error is not None:
                yield f"    {gate.name} says neither yes nor no: {gate.error} ({gate.value})"


def _wanted(one: ExpectPart, start: datetime) -> str:
    told = [(start + seconds(one.at)).strftime("%Y-%m-%d %H:%M"), one.outcome]
    told += [part for part in (one.channel, one.anchor, one.arm) if part is not None]
    return " ".join(told)


def _got(one: Decision, like: ExpectPart | None) -> str:
    """Of a decision as much as the expectation speaks of."""
    told: list[str] = [f"{one.send_at:%Y-%m-%d %H:%M}", one.outcome]
    if like is None or like.channel is not None:
        told.append(one.channel or "-")
    if like is None or like.anchor is not None:
        told.append(one.anchor)
    if like is not None and like.arm is not None:
        told.append(one.arm or "-")
    return " ".join(told)


def command(arguments: Sequence[str]) -> int:
    """0: all as expected; 1: something else; 2: there is no such folder."""
    folder = Path(arguments[0]) if arguments else FOLDER
    if not folder.is_dir():
        sys.stderr.write(f"there is no folder {folder}\n")
        return 2
    report = run_scenarios(folder)
    sys.stdout.write(f"{report}\n")
    return 0 if report.is_green else 1


if __name__ == "__main__":
    sys.exit(command(sys.argv[1:]))

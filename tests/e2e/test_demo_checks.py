"""The proof that the checks of the demo can fail."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from rapport_cli.demo.acting import Acted
from rapport_cli.demo.acting_checks import acting_complaints
from rapport_cli.demo.asking import Asked
from rapport_cli.demo.asking_checks import survey_complaints
from rapport_cli.demo.checks import OURS, complaints
from rapport_cli.demo.seeing import Seen

from tests.support.demo import DemoStack


def newest_told(seen: Seen) -> Mapping[str, Any]:
    """What Rapport itself adds is as often there as it likes."""
    return next(event for event in seen.timeline if event["type"] not in OURS)


def lost(seen: Seen) -> Seen:
    gone = newest_told(seen)
    return replace(seen, timeline=[event for event in seen.timeline if event is not gone])


def doubled(seen: Seen) -> Seen:
    return replace(seen, timeline=[newest_told(seen), *seen.timeline])


def out_of_order(seen: Seen) -> Seen:
    return replace(seen, timeline=seen.timeline[::-1])


def not_linked(seen: Seen) -> Seen:
    return replace(seen, subjects={**seen.subjects, "anonymous_id:anon-ada-laptop": "else"})


def sold_twice(seen: Seen) -> Seen:
    return replace(seen, ada={**seen.ada, "orders": {**seen.ada["orders"], "count": 3}})


def never_asked(seen: Seen) -> Seen:
    return replace(seen, ada={**seen.ada, "consents": []})


def still_open(seen: Seen) -> Seen:
    return replace(seen, ada={**seen.ada, "tickets": {"count": 1, "open": [{"ticket": "T-2001"}]}})


def let_in(seen: Seen) -> Seen:
    return replace(seen, quarantine=seen.quarantine[1:])


def unmasked(seen: Seen) -> Seen:
    return replace(seen, masked=[(seen.ada, json.dumps(seen.ada))])


def merged(seen: Seen) -> Seen:
    return replace(seen, casework=replace(seen.casework, suggestions=[]))


def asked_again(seen: Seen) -> Seen:
    (issue,) = seen.casework.issues
    alone = {**issue, "attempts": issue["attempts"][1:]}
    return replace(seen, casework=replace(seen.casework, issues=[alone]))


def forgotten(seen: Seen) -> Seen:
    return replace(seen, casework=replace(seen.casework, promises=[]))


def not_corrected(seen: Seen) -> Seen:
    return replace(seen, cleo={**seen.cleo, "satisfaction": [{"kind": "nps", "score": 1}]})


def always_so(seen: Seen) -> Seen:
    return replace(seen, casework=replace(seen.casework, then=seen.ada))


def out_of_date(seen: Seen) -> Seen:
    hello = {**seen.casework.hello, "profile": seen.casework.then}
    return replace(seen, casework=replace(seen.casework, hello=hello))


def counted_twice(seen: Seen) -> Seen:
    nps = seen.numbers.shares["nps"]
    twice = {**seen.numbers.shares, "nps": nps._replace(den=nps.den + 1)}
    return replace(seen, numbers=replace(seen.numbers, shares=twice))


def a_week_short(seen: Seen) -> Seen:
    return replace(seen, numbers=replace(seen.numbers, contacts={}))


def stale(seen: Seen) -> Seen:
    return replace(seen, early=200)


def a_stranger_short(seen: Seen) -> Seen:
    histories = {**seen.histories, "customer-0": {"page.viewed.v1": 1}}
    return replace(seen, histories=histories)


def not_asked(asked: Asked) -> Asked:
    return replace(asked, eligible=asked.eligible + 1)


def not_heard(asked: Asked) -> Asked:
    return replace(asked, ivo={**asked.ivo, "satisfaction": []})


def not_told(asked: Asked) -> Asked:
    return replace(asked, loop={**asked.loop, "informed": False})


def left_undone(asked: Asked) -> Asked:
    return replace(asked, ivo={**asked.ivo, "tasks": [{"task": "k"}]})


def not_reached(asked: Asked) -> Asked:
    return replace(asked, link="")


def held_back(acted: Acted) -> Acted:
    max_ = {**acted.decisions["Max"], "outcome": "cooldown"}
    return replace(acted, decisions={**acted.decisions, "Max": max_})


def written_to(acted: Acted) -> Acted:
    oli = {**acted.decisions["Oli"], "outcome": "sent", "channel": "email"}
    return replace(acted, decisions={**acted.decisions, "Oli": oli})


def by_other_rules(acted: Acted) -> Acted:
    nia = {**acted.decisions["Nia"], "version": "1"}
    return replace(acted, decisions={**acted.decisions, "Nia": nia})


def misread(acted: Acted) -> Acted:
    return replace(acted, letters={**acted.letters, "Lena": acted.letters["Max"]})


def no_way_out(acted: Acted) -> Acted:
    lena = acted.letters["Lena"]
    without = lena._replace(text=lena.text.partition("You decide")[0])
    return replace(acted, letters={**acted.letters, "Lena": without})


def unhappy_still(acted: Acted) -> Acted:
    return replace(acted, ivo={**acted.ivo, "satisfaction": [{"kind": "nps", "score": 2}]})


def not_explained(acted: Acted) -> Acted:
    return replace(acted, why={**acted.why, "agrees": False})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (held_back, "what was decided"),
        (written_to, "what was decided"),
        (by_other_rules, "Nia's rule"),
        (misread, "The message to Lena does not say"),
        (no_way_out, "The offer to Lena does not say how to stop it"),
        (unhappy_still, "Ivo's last answer"),
        (not_explained, "why Oli heard nothing"),
    ],
)
def test_a_wrong_act_is_found_out(
    demo_stack: DemoStack, spoil: Callable[[Acted], Acted], said: str
) -> None:
    acted = demo_stack.shown.acted

    assert acting_complaints(acted) == []
    assert any(said in complaint for complaint in acting_complaints(spoil(acted)))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (not_asked, "people who were asked or not"),
        (not_heard, "Ivo's answers"),
        (not_told, "Ivo's follow-up"),
        (left_undone, "what is left to do for Ivo"),
        (not_reached, "no link for Jun"),
    ],
)
def test_a_wrong_survey_is_found_out(
    demo_stack: DemoStack, spoil: Callable[[Asked], Asked], said: str
) -> None:
    asked = demo_stack.shown.asked

    assert survey_complaints(asked) == []
    assert any(said in complaint for complaint in survey_complaints(spoil(asked)))


def test_a_right_story_is_found_to_be_right(demo_stack: DemoStack) -> None:
    assert complaints(demo_stack.shown.traffic, demo_stack.shown.seen) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lost, "events in Ada's timeline"),
        (doubled, "ids in Ada's timeline"),
        (out_of_order, "order of Ada's timeline"),
        (not_linked, "people behind"),
        (sold_twice, "Ada's orders"),
        (never_asked, "Ada's consents"),
        (still_open, "Ada's tickets"),
        (let_in, "events in quarantine"),
        (unmasked, "A key without profile:pii reads"),
        (merged, "suggested merges"),
        (asked_again, "what Ada tried"),
        (forgotten, "promises"),
        (not_corrected, "Cleo's answers"),
        (always_so, "Ada's open tickets while she waited"),
        (out_of_date, "Ada in her stream"),
        (counted_twice, "KPI nps"),
        (a_week_short, "contacts by week"),
        (stale, "a read that comes too early"),
        (a_stranger_short, "events of customer-0"),
    ],
)
def test_a_wrong_story_is_found_out(
    demo_stack: DemoStack, spoil: Callable[[Seen], Seen], said: str
) -> None:
    wrong = spoil(demo_stack.shown.seen)

    found = complaints(demo_stack.shown.traffic, wrong)

    assert any(said in complaint for complaint in found)

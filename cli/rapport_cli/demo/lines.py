"""What to type after the demo: lines for another terminal, ready to be pasted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rapport_cli.demo.acting import Acted
from rapport_cli.demo.casework import phone_moment
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.measuring import SHARES, kpi_path, window
from rapport_cli.demo.stories import ADA


def commands(
    stack: Mapping[str, Any], stack_file: Path, traffic: Traffic, acted: Acted
) -> list[str]:
    """They hold this stack's keys, which end with it."""
    ingest, publisher = stack["ingest"], stack["keys"]["publisher"]
    event = '{"userId": "u-ada", "event": "Coffee Enjoyed", "properties": {"cups": 2}}'
    return [
        "  # Send an event, and see what was understood",
        f"  curl -s -u {publisher}: -d '{event}' '{ingest}/v1/track?debug=1'",
        *_as_agent(stack, phone_moment(traffic)),
        *_as_care(stack),
        *_as_marketer(stack, acted),
        *_as_operator(stack, traffic),
        "  # The README's examples, with these addresses and keys",
        f"  export RAPPORT_STACK={stack_file}",
    ]


def _as_agent(stack: Mapping[str, Any], moment: str) -> list[str]:
    profile, agent = (
        stack["profile"],
        f"curl -s -H 'Authorization: Bearer {stack['keys']['agent']}'",
    )
    ada = f"{profile}/v1/profiles/email:{ADA.email}"
    return [
        "  # Ada, as an agent sees her; her history; the same in cards",
        f"  {agent} {ada}",
        f"  {agent} {ada}/timeline",
        f"  {agent} '{ada}/timeline?view=cards'",
        "  # What she already tried, so that nobody asks again",
        f"  {agent} {ada}/attempts",
        "  # Ada as she was while she waited on the telephone; what has changed since",
        f"  {agent} '{ada}?as_of={moment}'",
        f"  {agent} '{ada}/diff?from={moment}'",
        "  # Two accounts with one e-mail address: one person?",
        f"  {agent} {profile}/v1/merge-suggestions",
        "  # Follow her live until Ctrl-C: elsewhere, send the first line again with 3 cups",
        f"  {agent} -N '{ada}/stream?include=events'",
    ]


def _as_care(stack: Mapping[str, Any]) -> list[str]:
    agent = f"curl -s -H 'Authorization: Bearer {stack['keys']['agent']}'"
    feedback = stack["feedback"]
    return [
        "  # What unhappy people said; whom somebody has to get back to, and by when",
        f"  {agent} '{feedback}/v1/feedback?kind=nps&score_lt=7'",
        f"  {agent} '{feedback}/v1/loops?state=open'",
        "  # Who was asked after a parcel, who answered, and why the others were not asked",
        f"  {agent} {feedback}/v1/surveys/after_parcel/rates",
    ]


def _as_marketer(stack: Mapping[str, Any], acted: Acted) -> list[str]:
    agent = f"curl -s -H 'Authorization: Bearer {stack['keys']['agent']}'"
    service, oli = stack["personalization"], acted.why["customer"]
    asked = f'{{"customer": "{oli}", "trigger": "{acted.why["trigger"]}"}}'
    return [
        "  # What was decided about Oli; why nobody wrote to him of his cart",
        f"  {agent} '{service}/v1/decisions?customer={oli}'",
        f"  {agent} -H 'Content-Type: application/json' -d '{asked}' {service}/v1/explain",
    ]


def _as_operator(stack: Mapping[str, Any], traffic: Traffic) -> list[str]:
    operator = f"curl -s -H 'Authorization: Bearer {stack['keys']['ops']}'"
    span = "&".join(f"{name}={value}" for name, value in window(traffic).items())
    metrics = stack["metrics"]
    return [
        "  # NPS, CSAT, first contact resolution; contacts by channel, week by week",
        *(f"  {operator} '{metrics}{kpi_path(kpi)}?{span}'" for kpi in SHARES),
        f"  {operator} '{metrics}{kpi_path('contacts')}?grain=week&group_by=channel&{span}'",
        "  # What was refused, with the event as it came",
        f"  {operator} {stack['ingest']}/v1/ops/quarantine",
    ]

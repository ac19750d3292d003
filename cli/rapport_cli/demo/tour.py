"""What the demo shows: where everything is, what to type, and Ada's story read back."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

from rich.console import Console

from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.receipts import Receipts
from rapport_cli.demo.seeing import Seen
from rapport_cli.demo.stories import ADA

_TEXT_WIDTH = 60


def tell(
    console: Console,
    *,
    traffic: Traffic,
    receipts: Receipts,
    seen: Seen,
    stack: Mapping[str, Any],
    stack_file: Path,
) -> None:
    """Prints it all."""
    for heading, lines in (
        ("What just happened", _happened(traffic, receipts)),
        ("Ada's story, read back from the profile service", story(seen.cards)),
        ("What Rapport knows of her now", _known(seen.ada)),
        ("What it refused, and why", refusals(seen.quarantine)),
        ("Where it is", _places(stack)),
        ("Try it", commands(stack, stack_file)),
    ):
        console.print(f"\n[bold]{heading}[/bold]")
        for line in lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def story(cards: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line a card, the first one first."""
    return [_line(card) for card in reversed(list(cards))]


def refusals(items: Sequence[Mapping[str, Any]]) -> list[str]:
    width = max((len(item["code"]) for item in items), default=0)
    return [f"  {item['code']:{width}}  {item['pointer']}: {item['detail']}" for item in items]


def commands(stack: Mapping[str, Any], stack_file: Path) -> list[str]:
    """Lines for another terminal. They hold this stack's keys, which end with it."""
    ingest, profile = stack["ingest"], stack["profile"]
    publisher, agent, ops = (stack["keys"][role] for role in ("publisher", "agent", "ops"))
    ada = f"{profile}/v1/profiles/email:{ADA.email}"
    event = '{"userId": "u-ada", "event": "Coffee Enjoyed", "properties": {"cups": 2}}'
    return [
        "  # Send an event, and see what was understood",
        f"  curl -s -u {publisher}: -d '{event}' '{ingest}/v1/track?debug=1'",
        "  # Ada, as an agent sees her; her history; the same in cards",
        f"  curl -s -H 'Authorization: Bearer {agent}' {ada}",
        f"  curl -s -H 'Authorization: Bearer {agent}' {ada}/timeline",
        f"  curl -s -H 'Authorization: Bearer {agent}' '{ada}/timeline?view=cards'",
        "  # What was refused, with the event as it came",
        f"  curl -s -H 'Authorization: Bearer {ops}' {ingest}/v1/ops/quarantine",
        "  # The README's examples, with these addresses and keys",
        f"  export RAPPORT_STACK={stack_file}",
    ]


def _happened(traffic: Traffic, receipts: Receipts) -> list[str]:
    return [
        f"  {len(traffic.said):,} events were sent: {receipts.accepted:,} accepted,"
        f" {receipts.rejected} refused.",
        f"  {traffic.repeated} of them came twice and count once; {traffic.late} came late and"
        " stand where they belong:",
        "  the carrier told of Ada's delay last of all.",
        "  The shop spoke through segment-analytics-python with another host; help desk,"
        " telephony,",
        "  carrier, loyalty, mail, surveys and agents sent CloudEvents.",
    ]


def _line(card: Mapping[str, Any]) -> str:
    said = card["text"] if isinstance(card["text"], str) else ""
    words = f"  “{shorten(said, _TEXT_WIDTH, placeholder='…')}”" if said else ""
    if said and said in card["title"]:
        words = ""
    return (
        f"  {card['time'][:16].replace('T', ' ')}  {card['channel'] or '':6}{card['title']}{words}"
    )


def _known(ada: Mapping[str, Any]) -> list[str]:
    identities = ", ".join(f"{one['kind']} {one['value']}" for one in ada["identities"])
    money = ", ".join(
        f"{value['net'] / 100:.2f} {currency}" for currency, value in ada["orders"]["value"].items()
    )
    consents = ", ".join(
        f"{one['channel']} {'yes' if one['granted'] else 'no'}" for one in ada["consents"]
    )
    promises = ", ".join(f"{one['what']} by {one['due'][:10]}" for one in ada["commitments"])
    scores = ", ".join(f"{one['kind']} {one['score']}" for one in ada["satisfaction"])
    return [
        f"  one person     {identities}",
        f"  stage          {ada['lifecycle']['stage']}, {ada['orders']['count']} orders, {money}",
        f"  still open     {', '.join(one['order'] for one in ada['orders']['open'])}",
        f"  we promised    {promises}",
        f"  pinned         {', '.join(one['body'] for one in ada['notes'])}",
        f"  satisfaction   {scores}",
        f"  may we write   {consents}",
    ]


def _places(stack: Mapping[str, Any]) -> list[str]:
    return [
        f"  ingest    {stack['ingest']}   (API: {stack['ingest']}/docs)",
        f"  profile   {stack['profile']}   (API: {stack['profile']}/docs)",
        f"  Kafka     {stack['kafka']}   ({_broker(stack['broker'])})",
    ]


def _broker(kind: str) -> str:
    if kind == "embedded":
        return "embedded: its log is in memory and gone when this stops"
    return kind

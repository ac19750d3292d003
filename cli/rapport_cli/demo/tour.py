"""What the demo shows: where everything is, what to type, and Ada's story read back."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

from rich.console import Console

from rapport_cli.demo.acted_lines import acted_lines
from rapport_cli.demo.acting import Acted
from rapport_cli.demo.asking import Asked
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.lines import commands
from rapport_cli.demo.measuring import Numbers
from rapport_cli.demo.receipts import Receipts
from rapport_cli.demo.seeing import Seen

_TEXT_WIDTH = 60
_SCALE = 100


def tell(
    console: Console,
    *,
    traffic: Traffic,
    receipts: Receipts,
    seen: Seen,
    asked: Asked,
    acted: Acted,
    stack: Mapping[str, Any],
    stack_file: Path,
) -> None:
    """Prints it all."""
    for heading, lines in (
        ("What just happened", _happened(traffic, receipts)),
        ("Ada's story, read back from the profile service", story(seen.cards)),
        ("What Rapport knows of her now", _known(seen.ada)),
        ("What she had tried before anybody helped her", tried(seen.casework.issues)),
        ("Who may be one person", suggested(seen.casework.suggestions)),
        ("What it counts to", counted(seen.numbers)),
        ("Whom it asked, and what they said", surveyed(asked)),
        ("Whom it wrote to before they asked, and whom it left alone", acted_lines(acted)),
        ("What it refused, and why", refusals(seen.quarantine)),
        ("Where it is", _places(stack)),
        ("Try it", commands(stack, stack_file, traffic, acted)),
    ):
        console.print(f"\n[bold]{heading}[/bold]")
        for line in lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def story(cards: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line a card, the first one first."""
    return [_line(card) for card in reversed(list(cards))]


def tried(issues: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line an attempt."""
    return [
        f"  {one['started_at'][:16].replace('T', ' ')}  {one['channel'] or '':6}"
        f"{one['contact']}, {one['outcome']}"
        for issue in issues
        for one in issue["attempts"]
    ]


def suggested(suggestions: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        f"  {' and '.join(_name(side) for side in one['sides'])}: linked by"
        f" {one['told_by']['type']}, held back by the guard {one['reason']}"
        for one in suggestions
    ]


def counted(numbers: Numbers) -> list[str]:
    """Each KPI with what it was divided by, and contacts of the last week that had some."""
    lines = [
        f"  {kpi:9}{_SCALE * share.num / share.den:.1f}  ({share.num} of {share.den})"
        for kpi, share in numbers.shares.items()
        if share.den
    ]
    week = max((week for week, _ in numbers.contacts), default=None)
    if week is None:
        return lines
    last = sorted((name, of) for (start, name), of in numbers.contacts.items() if start == week)
    said = ", ".join(f"{name} {of}" for name, of in last)
    return [*lines, f"  contacts {said} (week of {week[:10]})"]


def surveyed(asked: Asked) -> list[str]:
    """Who was asked and who was not; a detractor who was got back to; a link to open."""
    lines = []
    for survey, rate in asked.rates.items():
        why = ", ".join(f"{reason} {number}" for reason, number in rate["not_invited"].items())
        not_asked = f"; not asked: {why}" if why else ""
        lines.append(
            f"  {survey:13}{rate['invited']} asked, {rate['answered']} answered{not_asked}"
        )
    hours = asked.loop_time["value"]
    return [
        *lines,
        f"  Ivo gave a 2 on the survey page; {asked.seconds:.1f} s later it was on his 360° view.",
        f"  {asked.loop['owner']} called him; from his answer to the end of it: {hours:.0f} s.",
        "  Jun was asked, too, and has not answered. Be Jun, in a browser:",
        f"  {asked.link}",
    ]


def refusals(items: Sequence[Mapping[str, Any]]) -> list[str]:
    width = max((len(item["code"]) for item in items), default=0)
    return [f"  {item['code']:{width}}  {item['pointer']}: {item['detail']}" for item in items]


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


def _name(side: Mapping[str, Any]) -> str:
    """The strongest of somebody's names."""
    return next((f"{one['kind']} {one['value']}" for one in side["identities"]), side["subject"])


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
    services = ("ingest", "profile", "personalization", "feedback", "metrics")
    return [
        *(f"  {name:16}{stack[name]}   (API: {stack[name]}/docs)" for name in services),
        f"  {'Kafka':16}{stack['kafka']}   ({_broker(stack['broker'])})",
    ]


def _broker(kind: str) -> str:
    if kind == "embedded":
        return "embedded: its log is in memory and gone when this stops"
    return kind

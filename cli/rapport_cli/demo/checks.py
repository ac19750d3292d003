"""What has to be true after the traffic, and what is said when it is not."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx2

from rapport_cli.demo import case_checks
from rapport_cli.demo.complaint import differs
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.saying import Said
from rapport_cli.demo.seeing import ADAS_NAMES, CLEOS_NAMES, Seen
from rapport_cli.demo.stories import ADA

_WHISPERS: Final = (
    *(ADA.email, ADA.last_name, ADA.anonymous, ADA.phone or ADA.email),
    *("where is my parcel", "Still nothing", "party on Saturday", "on top of it"),
)
"""What only those may read who may see personal data."""


_ON_THE_WAY: Final = timedelta(seconds=10)
OURS: Final = frozenset(
    {
        "lifecycle.stage_changed.v1", "feedback.classified.v1", "loop.opened.v1",
        "loop.reminded.v1", "loop.closed.v1", "task.created.v1", "task.assigned.v1",
        "task.completed.v1", "task.cancelled.v1", "suggestion.made.v1", "suggestion.withdrawn.v1",
        "decision.made.v1", "action.requested.v1", "offer.issued.v1", "score.updated.v1",
    }
)  # fmt: skip
"""What Rapport itself adds to a history, as often as it looks at somebody in between. None of the
demo's systems says any of it."""

_NOT_COUNTED: Final = "customer.merged.v1"
"""Tells who somebody is, and nothing that happened: histories do not count it."""


def complaints(traffic: Traffic, seen: Seen) -> list[str]:
    """One sentence for each thing that is wrong; none: all is as it should be."""
    return [complaint for check in CHECKS for complaint in check(traffic, seen)]


def identities(_: Traffic, seen: Seen) -> Iterator[str]:
    """Browser, account, e-mail, telephone, order, ticket, card: one person each."""
    for names in (ADAS_NAMES, CLEOS_NAMES):
        people = {name: seen.subjects[name] for name in names}
        yield from differs(f"people behind {', '.join(people)}", len(set(people.values())), 1)
    known = {(one["kind"], one["value"]) for one in seen.ada["identities"]}
    wanted = {
        ("user_id", ADA.user),
        ("email", ADA.email),
        ("phone", ADA.phone),
        ("anonymous_id", ADA.anonymous),
    }
    yield from differs("Ada's identities", known, wanted)


def timeline(traffic: Traffic, seen: Seen) -> Iterator[str]:
    """Every event once, in the order in which things happened, however late they were told."""
    wanted = traffic.good(ADA.key)
    sent = [event for event in seen.timeline if event["type"] not in OURS]
    strange = [event["type"] for event in sent if event["id"] not in wanted]
    yield from differs("events in Ada's timeline that nobody sent", strange, [])
    ids = [event["id"] for event in sent]
    yield from differs("events in Ada's timeline", len(ids), len(wanted))
    yield from differs("ids in Ada's timeline", Counter(ids), Counter(wanted.keys()))
    yield from differs("types in Ada's timeline", _types(sent), traffic.types(ADA.key))
    times = [event["time"] for event in seen.timeline]
    yield from differs("order of Ada's timeline", times, sorted(times, reverse=True))
    moved = [event["type"] for event in seen.timeline if _is_off(event, wanted)]
    yield from differs("events of Ada's at another time than they happened", moved, [])
    in_cards = sum((Counter(card["counts"]) for card in seen.cards), Counter[str]())
    for type_ in OURS:
        del in_cards[type_]
    yield from differs("events in Ada's cards", in_cards, traffic.types(ADA.key))


def histories(traffic: Traffic, seen: Seen) -> Iterator[str]:
    """Nothing lost and nothing double, of anybody."""
    for customer, history in seen.histories.items():
        wanted = traffic.types(customer)
        del wanted[_NOT_COUNTED]
        told = {type_: number for type_, number in history.items() if type_ not in OURS}
        yield from differs(f"events of {customer}", Counter(told), wanted)


def orders(_: Traffic, seen: Seen) -> Iterator[str]:
    """The order that was told twice is one order."""
    mine = seen.ada["orders"]
    yield from differs("Ada's orders", mine["count"], 2)
    yield from differs("Ada's open orders", [one["order"] for one in mine["open"]], ["O-1002"])
    yield from differs("what Ada's orders are worth", mine["value"]["EUR"]["net"], 57_390)
    yield from differs("Ada's points", seen.ada["loyalty"]["points"], 573)


def service(_: Traffic, seen: Seen) -> Iterator[str]:
    yield from differs("Ada's tickets", seen.ada["tickets"], {"count": 1, "open": []})
    calls = [(one["call"], one["outcome"], one["ticket"]) for one in seen.ada["calls"]["recent"]]
    yield from differs("Ada's calls", calls, [("C-501", "answered", "T-2001")])
    promised = [one["commitment"] for one in seen.ada["commitments"]]
    yield from differs("promises that Ada still waits for", promised, ["c-32"])
    yield from differs("Ada's pinned notes", [one["note"] for one in seen.ada["notes"]], ["n-81"])
    yield from differs("Ada's answers", _scores(seen.ada), {("csat", "service"): 5})
    # He gave us a 2 before he was won back.
    yield from differs("Ben's answers", _scores(seen.ben), {("nps", "relationship"): 9})


def consents(_: Traffic, seen: Seen) -> Iterator[str]:
    said = {(one["channel"], one["purpose"]): one["granted"] for one in seen.ada["consents"]}
    wanted = {("email", "marketing"): True, ("phone", "marketing"): False}
    yield from differs("Ada's consents", said, wanted)


def quarantine(traffic: Traffic, seen: Seen) -> Iterator[str]:
    """What no door should let in is held, each for its own reason, and nothing else is."""
    held = {item["event_id"]: item["code"] for item in seen.quarantine}
    yield from differs("events in quarantine", held, traffic.refused())


def masking(_: Traffic, seen: Seen) -> Iterator[str]:
    """Without `profile:pii` nobody reads a name, an address or a word that somebody wrote."""
    for document, text in seen.masked:
        if not document.get("meta", {}).get("masked"):
            yield "A key without profile:pii is not told which fields are masked."
        for whisper in _WHISPERS:
            if whisper in text:
                yield f"A key without profile:pii reads “{whisper}”."


def consistency(_: Traffic, seen: Seen) -> Iterator[str]:
    """No answer is better than a stale one."""
    yield from differs("a read that comes too early", seen.early, int(httpx2.codes.TOO_EARLY))


CHECKS: Final[Sequence[Callable[[Traffic, Seen], Iterator[str]]]] = (
    identities,
    timeline,
    histories,
    orders,
    service,
    consents,
    quarantine,
    masking,
    consistency,
    case_checks.suggestions,
    case_checks.attempts,
    case_checks.promises,
    case_checks.corrections,
    case_checks.past,
    case_checks.stream,
    case_checks.kpis,
)


def _types(events: Sequence[Mapping[str, Any]]) -> Counter[str]:
    return Counter(event["type"] for event in events)


def _is_off(event: Mapping[str, Any], wanted: Mapping[str, Said]) -> bool:
    """A client's clock is corrected by what it says when it sends, give or take the way to us."""
    said = wanted.get(event["id"])
    return said is not None and abs(datetime.fromisoformat(event["time"]) - said.at) > _ON_THE_WAY


def _scores(profile: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    return {(one["kind"], one["about"]): one["score"] for one in profile["satisfaction"]}

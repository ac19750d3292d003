"""What agents and analysts have to find: suggestions, attempts, promises, the past, KPIs."""

from collections.abc import Iterator

from rapport_cli.demo.casework import Document
from rapport_cli.demo.complaint import differs
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.household import FAY, GUS
from rapport_cli.demo.measuring import expected
from rapport_cli.demo.seeing import Seen


def suggestions(_: Traffic, seen: Seen) -> Iterator[str]:
    """Two accounts with one e-mail address are two people until somebody says otherwise."""
    found = [
        (one["reason"], {side["subject"] for side in one["sides"]})
        for one in seen.casework.suggestions
    ]
    both = {seen.subjects[f"user_id:{one.user}"] for one in (FAY, GUS)}
    yield from differs("people behind one e-mail address", len(both), 2)
    yield from differs("suggested merges", found, [("user_id: 2 > 1", both)])


def attempts(_: Traffic, seen: Seen) -> Iterator[str]:
    """Help pages, bot, chat, telephone: one issue, so that nobody asks her again."""
    found = [
        (issue["issue"], [(one["contact"], one["channel"]) for one in issue["attempts"]])
        for issue in seen.casework.issues
    ]
    tried = [
        ("help:s-ada-3", "web"),
        ("bot:b-771", "chat"),
        ("ticket:T-2001", "chat"),
        ("call:C-501", "phone"),
    ]
    yield from differs("what Ada tried", found, [("ticket:T-2001", tried)])


def promises(_: Traffic, seen: Seen) -> Iterator[str]:
    found = {one["commitment"]: one["state"] for one in seen.casework.promises}
    yield from differs("promises", found, {"c-31": "kept", "c-32": "open", "c-34": "overdue"})


def corrections(_: Traffic, seen: Seen) -> Iterator[str]:
    """What was corrected, and what was told late, holds."""
    scores = [(one["kind"], one["score"]) for one in seen.cleo["satisfaction"]]
    yield from differs("Cleo's answers", scores, [("nps", 10)])
    worth = {"orders": 1, "gross": 2_490, "refunded": 1_245, "net": 1_245}
    yield from differs("what Cleo's orders are worth", seen.cleo["orders"]["value"]["EUR"], worth)


def past(_: Traffic, seen: Seen) -> Iterator[str]:
    """While Ada waited on the telephone her ticket was open; what came since is the difference."""
    then, changes = seen.casework.then, seen.casework.since["changes"]
    waiting = [one["ticket"] for one in then["tickets"]["open"]]
    yield from differs("Ada's open tickets while she waited", waiting, ["T-2001"])
    yield from differs("Ada's orders while she waited", then["orders"]["count"], 1)
    solved = [event["type"] for event in changes["tickets"]["T-2001"]["events"]]
    yield from differs("what has changed Ada's ticket since", solved, ["ticket.resolved.v1"])
    told = {name: one["change"] for name, one in changes["orders"].items()}
    yield from differs("orders since", told, {"O-1001": "changed", "O-1002": "added"})


def stream(_: Traffic, seen: Seen) -> Iterator[str]:
    """A stream begins with the whole view."""
    hello = seen.casework.hello
    yield from differs("the first event of Ada's stream", hello["event"], "hello")
    yield from differs("Ada in her stream", _view(hello["profile"]), _view(seen.ada))


def kpis(traffic: Traffic, seen: Seen) -> Iterator[str]:
    """Exactly what was sent, counted again without the service."""
    wanted = expected(traffic)
    for kpi, share in wanted.shares.items():
        yield from differs(f"KPI {kpi}", tuple(seen.numbers.shares[kpi]), tuple(share))
    yield from differs("contacts by week", dict(seen.numbers.contacts), dict(wanted.contacts))


def _view(profile: Document) -> Document:
    """Without what moves on while one reads: the place in the log, and what we say of it."""
    return {part: value for part, value in profile.items() if part not in {"meta", "events"}}

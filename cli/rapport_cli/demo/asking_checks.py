"""What has to be true after the surveys."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rapport_cli.demo.asking import ASKED, HANA, IVO, Asked
from rapport_cli.demo.complaint import differs
from rapport_cli.demo.todo import follow_ups


def survey_complaints(asked: Asked) -> list[str]:
    """One sentence for each thing that is wrong; none: all is as it should be."""
    return [complaint for check in SURVEY_CHECKS for complaint in check(asked)]


def invitations(asked: Asked) -> Iterator[str]:
    """Everybody who had a reason to be asked was asked, or it is known why not."""
    rates = asked.rates.values()
    told = sum(rate["invited"] + sum(rate["not_invited"].values()) for rate in rates)
    yield from differs("people who were asked or not", told, asked.eligible)
    waiting = sum(rate["waiting"] for rate in rates)
    yield from differs("people of whom nobody knows whether they are asked", waiting, 0)
    case = asked.rates["after_case"]
    yield from differs("people who were asked about their case", case["invited"], 1)
    refused = asked.rates["after_parcel"]["not_invited"].get("no_consent", 0)
    if not refused:
        yield "Kai wants no such messages, and nobody was left alone for that reason."
    if asked.rates["after_parcel"]["invited"] < len(ASKED) - 2:
        yield "Ivo and Jun were not asked about their parcels."


def answers(asked: Asked) -> Iterator[str]:
    """What was said on the page is on the profile, in the list and in the rates, once."""
    for person, shown, kind in ((HANA, asked.hana, "csat"), (IVO, asked.ivo, "nps")):
        scores = [(one["kind"], one["score"]) for one in shown["satisfaction"]]
        wanted = [(kind, asked.answered[person.email])]
        yield from differs(f"{person.first_name}'s answers", scores, wanted)
    answered = sum(rate["answered"] for rate in asked.rates.values())
    yield from differs("answers", answered, len(asked.answered))
    said = [one["comment"] for one in asked.answers if one["customer"] in asked.ivo["subjects"]]
    yield from differs("what Ivo said", said, ["Two weeks late, and nobody told me why."])


def follow_up(asked: Asked) -> Iterator[str]:
    """A detractor is got back to, and told."""
    loop = asked.loop
    closed = (loop["task"], loop["state"], loop["outcome"], loop["informed"])
    yield from differs("Ivo's follow-up", closed, (asked.task, "closed", "called", True))
    yield from differs("what is left to do for Ivo", follow_ups(asked.ivo["tasks"]), [])
    yield from differs("follow-ups that were counted", asked.loop_time["den"], 1)


def link(asked: Asked) -> Iterator[str]:
    if "/s/" not in asked.link:
        yield "There is no link for Jun."


SURVEY_CHECKS: Final[Sequence[Callable[[Asked], Iterator[str]]]] = (
    invitations,
    answers,
    follow_up,
    link,
)

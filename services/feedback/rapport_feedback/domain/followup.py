"""When somebody has to get back to a customer, and when not any more."""

from typing import Final, Literal, NamedTuple

from rapport_feedback.domain.definition import AT_MOST, Definition

CORRECTED: Final = "corrected"
"""Outcome of a follow-up that nobody had taken when the customer changed their mind."""

ERASED: Final = "erased"
"""Outcome of a follow-up whose person was erased: there is nobody to get back to."""

Step = Literal["open", "rescore", "correct"]


class Loop(NamedTuple):
    """The latest follow-up of an answer."""

    id: str
    is_open: bool
    is_touched: bool


class LoopTerms(NamedTuple):
    """What a definition says of its follow-ups; None: what is usual."""

    at_most: int | None = None
    due_hours: int | None = None
    owner: str | None = None


USUAL: Final = LoopTerms()


def terms_of(definition: Definition) -> LoopTerms:
    """What it says itself, and nothing that follows from its kind."""
    said = definition.loop
    return USUAL if said is None else LoopTerms(said.at_most, said.due_hours, said.owner)


def next_step(
    kind: str, score: int | None, before: int | None, latest: Loop | None, terms: LoopTerms = USUAL
) -> Step | None:
    """What an answer does to its follow-up. `before`: the score that it corrects.

    A follow-up that somebody closed stays closed, unless the score had risen in between.
    """
    is_low = _is_low(kind, score, terms)
    if latest is not None and latest.is_open:
        if is_low:
            return "rescore"
        return None if latest.is_touched else "correct"
    if is_low and (latest is None or not _is_low(kind, before, terms)):
        return "open"
    return None


def _is_low(kind: str, score: int | None, terms: LoopTerms) -> bool:
    at_most = AT_MOST.get(kind) if terms.at_most is None else terms.at_most
    return score is not None and at_most is not None and score <= at_most

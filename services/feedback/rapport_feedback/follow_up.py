"""What follows from an answer, in the transaction that records it: its meaning, and a follow-up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import orjson
from rapport_runtime.database import Tx, driver
from rapport_runtime.subscription import Derived

from rapport_feedback import classify, loops
from rapport_feedback.classify import Cause
from rapport_feedback.domain.answer import AnswerRow
from rapport_feedback.domain.comments import ABOUTS, NOTHING, Classification
from rapport_feedback.domain.definition import About
from rapport_feedback.domain.followup import USUAL, Loop, LoopTerms, next_step
from rapport_feedback.rulebook import Rulebook, load_rulebook
from rapport_feedback.sentiment import find_sentiment, sound
from rapport_feedback.settings import FeedbackSettings

_CONTEXT: Final = """
SELECT s.survey, i.language, p.score, c.by, c.about, c.topics, c.sentiment,
    l.loop, l.task, l.owner, l.state = 'open' AS is_open, l.touched_at IS NOT NULL AS is_touched,
    (d.document -> 'loop')::text AS terms
FROM unnest($1::text[], $2::int[], $3::text[], $4::int[])
    AS s(survey, revision, definition, version)
LEFT JOIN invitation i ON i.survey = s.survey
LEFT JOIN survey_definition d ON d.id = s.definition AND d.version = s.version
LEFT JOIN classification c ON c.survey = s.survey AND c.is_current
LEFT JOIN LATERAL (
    SELECT * FROM loop WHERE loop.survey = s.survey
    ORDER BY loop.state = 'open' DESC, loop.opened_at DESC, loop.loop LIMIT 1
) l ON true
LEFT JOIN LATERAL (
    SELECT score FROM answer a WHERE a.survey = s.survey AND a.revision < s.revision
    ORDER BY a.revision DESC LIMIT 1
) p ON true
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was recorded a moment ago."""

    answer: AnswerRow
    comment: str | None = field(default=None, repr=False)
    language: str | None = None
    """Of the page or the person; None: that of the invitation, if there is one."""
    historical: bool = False
    """From before we were there: understood, but nobody is sent after it."""
    is_repeat: bool = False
    """Our own, back from the log: what follows from it was told with it, and is not told again."""


class Context(NamedTuple):
    """What is known of an answer's survey."""

    language: str | None
    before: int | None
    by: str | None
    said: Classification
    loop: Loop | None
    task: str
    owner: str | None
    terms: LoopTerms

    @classmethod
    def new(cls, terms: LoopTerms) -> "Context":
        """Of a survey that nobody had answered."""
        return cls(
            language=None,
            before=None,
            by=None,
            said=NOTHING,
            loop=None,
            task="",
            owner=None,
            terms=terms,
        )


async def follow_first(
    tx: Tx, answered: Sequence[Answered], terms: Sequence[LoopTerms], settings: FeedbackSettings
) -> Sequence[Derived]:
    """For first answers, of which nothing has been said yet; to each the terms of its survey."""
    known = {one.answer.survey: Context.new(its) for one, its in zip(answered, terms, strict=True)}
    understood = await _understand(tx, answered, known)
    return [*understood, *await _close_the_loop(tx, answered, known, settings)]


async def follow_up_all(
    tx: Tx, answered: Sequence[Answered], settings: FeedbackSettings
) -> Sequence[Derived]:
    """In a constant number of statements; the caller writes them into the outbox."""
    current = [one for one in answered if one.answer.is_current]
    if not current:
        return ()
    # A first answer that counts is a row of this transaction, which nobody else has seen.
    corrected = {one.answer.survey for one in current if one.answer.revision > 1}
    if corrected:
        await classify.lock_answers(tx, corrected)
    known = await _load(tx, current)
    understood = await _understand(tx, current, known)
    followed = [one for one in current if not one.historical]
    derived = [*understood, *await _close_the_loop(tx, followed, known, settings)]
    told_before = {one.answer.event_key for one in current if one.is_repeat}
    return [one for one in derived if one.cause not in told_before]


def understand(
    rulebook: Rulebook, comment: str, language: str | None, about: str | None
) -> Classification:
    """What the rules, and the ear if there is one, make of a comment."""
    asked: About | None = next((one for one in ABOUTS if one == about), None)
    said = rulebook.reader.classify(comment, language, asked)
    return replace(said, sentiment=sound(comment, language, find_sentiment()))


async def _understand(
    tx: Tx, answered: Sequence[Answered], known: Mapping[str, Context]
) -> list[Derived]:
    """Rules speak when they have something to say, or to take back; never against a person."""
    open_to_rules = [one for one in answered if known[one.answer.survey].by != "person"]
    if not any(one.comment or known[one.answer.survey].by for one in open_to_rules):
        return []
    rulebook = await load_rulebook(await driver(tx))
    words = []
    for one in open_to_rules:
        answer, context = one.answer, known[one.answer.survey]
        language = one.language or context.language
        said = NOTHING
        if one.comment:
            said = understand(rulebook, one.comment, language, answer.about)
        if said != context.said:
            cause = Cause(answer.survey, answer.event_key, answer.event_id, answer.subject_id)
            definition = rulebook.definition
            words.append(
                classify.say(
                    cause, f"classify {definition}", answer.recorded_at, "rule", said,
                    definition=definition,
                )
            )  # fmt: skip
    return await classify.publish(tx, words)


async def _close_the_loop(
    tx: Tx,
    answered: Sequence[Answered],
    known: Mapping[str, Context],
    settings: FeedbackSettings,
) -> list[Derived]:
    openings, corrections, scores = [], [], []
    for answer in (one.answer for one in answered):
        context = known[answer.survey]
        loop, terms = context.loop, context.terms
        step = next_step(answer.kind, answer.score, context.before, loop, terms)
        if step == "open":
            openings.append(loops.Opening.of(answer, terms, settings.loop))
        elif step == "correct" and loop is not None:
            corrections.append(loops.Correction(answer, loop.id, context.task, context.owner))
        elif step == "rescore" and loop is not None:
            scores.append((loop.id, answer.score))
    await loops.rescore_loops(tx, scores)
    return [*await loops.correct_loops(tx, corrections), *await loops.open_loops(tx, openings)]


async def _load(tx: Tx, answered: Sequence[Answered]) -> dict[str, Context]:
    named = [split_definition(one.answer.definition) for one in answered]
    rows = await (await driver(tx)).fetch(
        _CONTEXT,
        [one.answer.survey for one in answered],
        [one.answer.revision for one in answered],
        [name for name, _ in named],
        [version for _, version in named],
    )
    return {
        row["survey"]: Context(
            language=row["language"],
            before=row["score"],
            by=row["by"],
            said=Classification(
                about=row["about"], topics=tuple(row["topics"] or ()), sentiment=row["sentiment"]
            ),
            loop=row["loop"] and Loop(row["loop"], row["is_open"], row["is_touched"]),
            task=row["task"],
            owner=row["owner"],
            terms=_terms(row["terms"]),
        )
        for row in rows
    }


def split_definition(definition: str | None) -> tuple[str | None, int | None]:
    """`after_case@2` is version 2 of `after_case`; publishers may write anything."""
    name, at, version = (definition or "").rpartition("@")
    is_version = at and version.isascii() and version.isdecimal() and len(version) < 10
    return (name, int(version)) if is_version else (definition, None)


def _terms(document: str | None) -> LoopTerms:
    said = None if document is None else orjson.loads(document)
    if not isinstance(said, dict):
        return USUAL
    return LoopTerms(said.get("at_most"), said.get("due_hours"), said.get("owner"))

"""Rules by which people are asked, whatever the order, the names and the clocks."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_feedback.domain import asking, cases, quiet, respondent
from rapport_feedback.domain.asking import Case, Invited, NotInvited, Person, Policy
from rapport_feedback.domain.cases import Ticket
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.eligible import Candidate, survey_id
from rapport_feedback.domain.quiet import Quiet
from rapport_feedback.domain.respondent import Respondent

from tests.support.events import NOON, happened, new_subject
from tests.support.surveys import after_case

CHANNELS: Final = ("email", "sms", None)
ZONES: Final = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
MINUTE: Final = timedelta(minutes=1)
NIGHTS: Final = tuple(
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 7), (3, 28), (4, 4), (10, 3), (10, 24), (10, 31))
)
"""Before which somewhere the clocks are changed."""
POLICY: Final = Policy(
    zone=ZoneInfo("UTC"),
    quiet=Quiet(time(0), time(0)),
    throttle=timedelta(days=30),
    language="en",
    consent="none",
    too_late=timedelta(hours=72),
)


def a_word(rng: Random) -> Record:
    """Something that says how somebody wants to be treated, some of it at the same moment."""
    at = NOON + timedelta(minutes=rng.randrange(6))
    channel, purpose = rng.choice(CHANNELS), rng.choice(("service", "marketing"))
    said: tuple[str, dict[str, Any]] = rng.choice(
        (
            ("consent.granted", {"purpose": purpose, "channel": channel}),
            ("consent.withdrawn", {"purpose": purpose, "channel": channel}),
            ("preference.changed", {"language": rng.choice(("de", "en")), "tz": rng.choice(ZONES)}),
            ("feature.used", {"feature": rng.choice(("export", "import")), "count": 2}),
        )
    )
    type_, data = said
    data = {name: value for name, value in data.items() if value is not None}
    told = at + timedelta(minutes=rng.randrange(3))
    return happened(type_, new_subject(), at, told=told, fields=data)


def told(records: list[Record]) -> Respondent:
    state = Respondent({}, set(), set(), {})
    for record in records:
        respondent.hear(state, record.envelope, record.key, decode_data(record.envelope))
    return state


def check_order_and_names_change_nothing(rng: Random) -> None:
    words = [a_word(rng) for _ in range(rng.randrange(1, 9))]
    names: list[list[Record]] = [[], [], []]
    for word in rng.sample(words, len(words)):
        rng.choice(names).append(word)

    joined = respondent.join(told(name) for name in names)

    assert respondent.pack(joined) == respondent.pack(told(words))


def check_the_last_word_on_a_channel_holds(rng: Random) -> None:
    words = [a_word(rng) for _ in range(rng.randrange(1, 9))]
    state = told(rng.sample(words, len(words)))
    last: dict[str, str] = {}
    for word in sorted(words, key=lambda one: one.order):
        data = decode_data(word.envelope)
        if not isinstance(data, wire.ConsentGranted | wire.ConsentWithdrawn):
            continue
        said = "granted" if isinstance(data, wire.ConsentGranted) else "withdrawn"
        for channel in ("email", "sms"):
            if data.purpose == "service" and data.channel in (channel, None):
                last[channel] = said

    assert {c: s for c in ("email", "sms") if (s := state.consent("service", c))} == last


def check_a_case_is_open_until_it_is_solved(rng: Random) -> None:
    steps = ["ticket.created", *rng.choices(("ticket.resolved", "ticket.reopened"), k=3)]
    events = [
        happened(step, new_subject(), NOON + timedelta(minutes=number), ticket="T-1")
        for number, step in enumerate(steps[: rng.randrange(1, 5)])
    ]
    # The machine that opens cases is ahead of all others.
    early = happened("ticket.created", new_subject(), NOON + timedelta(days=1), ticket="T-1")
    events[0] = rng.choice((events[0], early))
    ticket = Ticket({})
    for event in rng.sample(events, len(events)):
        data: Any = decode_data(event.envelope)
        cases.follow(ticket, event.envelope, event.key, data)

    assert ticket.is_open is (events[-1].envelope.type != "ticket.resolved.v1")


def a_case(rng: Random, **changes: Any) -> Case:  # noqa: ANN401 - any JSON
    definition = Definition.model_validate(after_case(**changes))
    anchor, subject = f"ticket:{rng.getrandbits(64)}", new_subject()
    rule = definition.rules[0].id
    candidate = Candidate(
        survey=survey_id(definition.id, rule, subject, anchor),
        definition=definition.id,
        version=1,
        kind=definition.kind,
        about=definition.about,
        rule=rule,
        anchor=anchor,
        subject=subject,
        cause=b"",
        happened_at=NOON,
        due_at=NOON,
        refs={},
    )
    return Case(candidate, definition, is_live=True, send_at=NOON)


def somebody(**known: Any) -> Person:  # noqa: ANN401 - any field of the state
    return Person(Respondent({}, {"user_id", "email"}, set(), {}), **known)


def check_thirty_days_lie_between_two_surveys(rng: Random) -> None:
    policy = Policy(**{**_fields(POLICY), "too_late": timedelta(days=10_000)})
    person, now = somebody(), NOON
    asked: list[datetime] = []
    for _ in range(8):
        now += timedelta(hours=rng.choice((0, 1, 24, 29 * 24 + 23, 30 * 24)))
        outcome = asking.decide(a_case(rng), person, policy, now)
        is_too_soon = bool(asked) and now - asked[-1] < timedelta(days=30)
        assert isinstance(outcome, NotInvited if is_too_soon else Invited)
        if isinstance(outcome, Invited):
            asked.append(now)


def check_nobody_is_disturbed_and_nobody_waits_longer(rng: Random) -> None:
    zone = ZoneInfo(rng.choice(ZONES))
    hours = Quiet(time(rng.randrange(24)), time(rng.randrange(24), rng.choice((0, 30))))
    day = rng.choice(NIGHTS)
    at = day + timedelta(minutes=rng.randrange(2 * 24 * 60))

    allowed = quiet.next_allowed(at, zone, hours)

    first = at
    while hours.covers(first.astimezone(zone).time()):
        first += MINUTE
    assert allowed >= first
    # A wall time that the clocks skip: as much later as they skip.
    assert allowed == first or (
        allowed - first <= timedelta(hours=1) and first.astimezone(zone).time() > hours.end
    )


def check_the_same_survey_is_drawn_the_same(rng: Random) -> None:
    rule = {"id": "a", "on": "ticket.resolved", "sample": 0.5}
    case = a_case(rng, rules=[rule])

    outcomes = {type(asking.decide(case, somebody(), POLICY, NOON)) for _ in range(3)}

    assert len(outcomes) == 1


CHECKS: Final[Mapping[str, Callable[[Random], None]]] = {
    "order and names change nothing": check_order_and_names_change_nothing,
    "the last word on a channel holds": check_the_last_word_on_a_channel_holds,
    "a case is open until it is solved": check_a_case_is_open_until_it_is_solved,
    "thirty days lie between two surveys": check_thirty_days_lie_between_two_surveys,
    "nobody is disturbed": check_nobody_is_disturbed_and_nobody_waits_longer,
    "the same survey is drawn the same": check_the_same_survey_is_drawn_the_same,
}


def _fields(policy: Policy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in Policy.__slots__}

"""What a merge would make of two people, before anybody has told it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from rapport_profile.domain.identity import Edge, Limits, link_key
from rapport_profile.domain.merging import Excess, Name, Word, conflicts, overridden, rehearse
from rapport_profile.domain.source import Source

from tests.support.events import NOON, new_subject

LIMITS = Limits()


def linked(one: str, other: str, kinds: Mapping[str, str], minute: int = 0) -> Edge:
    a, b = sorted((one, other))
    at = NOON + timedelta(minutes=minute)
    key = link_key(a, b)
    return Edge(key, a, b, kinds[a], kinds[b], (at, at, key), at, explicit=False)


def user(subject: str) -> Name:
    return Name(subject, "user_id")


def said(value: object, at: datetime = NOON, event: str = "") -> Word:
    return Word(value, Source(event or f"{value}-{at}", "/shop", at))


def test_a_merge_joins_everybody_who_belongs_to_either() -> None:
    ada, mail, countess = new_subject(), new_subject(), new_subject()
    edges = [linked(ada, mail, {ada: "user_id", mail: "email"})]

    found = rehearse(edges, ([ada, mail], [countess]), (user(ada), user(countess)), LIMITS, NOON)

    assert found.members == tuple(sorted([ada, mail, countess]))
    assert (found.joined, found.left, found.settled, dict(found.refused)) == ((), (), (), {})


def test_a_merge_settles_the_suggestion_that_led_to_it() -> None:
    ada, countess, mail = new_subject(), new_subject(), new_subject()
    kinds = {ada: "user_id", countess: "user_id", mail: "email"}
    told, refused = linked(ada, mail, kinds), linked(countess, mail, kinds, minute=1)

    found = rehearse(
        [told, refused], ([ada, mail], [countess]), (user(ada), user(countess)), LIMITS, NOON
    )

    assert found.settled == (refused.merge_key,)
    assert found.members == tuple(sorted([ada, countess, mail]))


def test_a_merge_may_cost_a_person_what_was_linked_last() -> None:
    ada, countess = new_subject(), new_subject()
    mails = [new_subject() for _ in range(6)]
    kinds = {ada: "user_id", countess: "user_id", **dict.fromkeys(mails, "email")}
    of_ada = [linked(ada, mail, kinds, n) for n, mail in enumerate(mails[:5])]
    of_countess = linked(countess, mails[5], kinds, minute=9)

    found = rehearse(
        [*of_ada, of_countess],
        ([ada, *mails[:5]], [countess, mails[5]]),
        (user(ada), user(countess)),
        LIMITS,
        NOON,
    )

    assert found.left == (mails[5],)
    assert dict(found.refused) == {of_countess.merge_key: "email: 6 > 5"}


def test_who_stays_depends_on_whom_the_merge_names() -> None:
    ada, countess, mail = new_subject(), new_subject(), new_subject()
    kinds = {ada: "user_id", countess: "user_id", mail: "email"}
    told = linked(ada, mail, kinds)

    by_mail = rehearse(
        [told], ([ada, mail], [countess]), (Name(mail, "email"), user(countess)), LIMITS, NOON
    )
    by_user = rehearse([told], ([ada, mail], [countess]), (user(ada), user(countess)), LIMITS, NOON)

    assert (by_mail.left, by_user.left) == ((ada,), ())


@pytest.mark.parametrize(
    ("one", "other", "guards"),
    [
        ({"user_id": 1}, {"user_id": 1}, [Excess("user_id", 2, 1)]),
        ({"user_id": 1, "email": 3}, {"email": 3}, [Excess("email", 6, 5)]),
        ({"user_id": 1, "email": 2}, {"email": 3}, []),
        ({"loyalty": 6}, {"user_id": 1}, []),
        ({"loyalty": 5}, {"loyalty": 1}, [Excess("loyalty", 6, 5)]),
    ],
)
def test_a_merge_overrides_the_guards_that_would_hold_the_two_apart(
    one: dict[str, int], other: dict[str, int], guards: list[Excess]
) -> None:
    assert overridden(one, other, LIMITS) == guards


def test_of_two_words_the_later_one_wins() -> None:
    early, late = said("free"), said("pro", NOON + timedelta(days=1))

    [found] = conflicts({"plan": late}, {"plan": early}, {"plan": late})

    assert (found.words, found.result, found.winner) == ((late, early), late, 0)
    assert found.why == "said last"


def test_of_words_said_at_once_the_one_accepted_last_wins() -> None:
    one, other = said("free", event="aa"), said("pro", event="bb")

    [found] = conflicts({"plan": one}, {"plan": other}, {"plan": other})

    assert (found.winner, found.why) == (1, "said at the same time, and accepted last")


def test_what_both_say_alike_or_only_one_says_is_no_conflict() -> None:
    one, other = said("pro", event="aa"), said("pro", event="bb")
    alone = said("de")

    assert (
        conflicts({"plan": one}, {"plan": other, "lang": alone}, {"plan": other, "lang": alone})
        == []
    )


def test_what_the_one_person_would_lose_is_told() -> None:
    known = said("pro")

    [found] = conflicts({"plan": known}, {}, {})

    assert (found.result, found.winner, found.why) == (None, None, "a later word takes it away")


def test_a_third_subjects_word_is_neither_of_the_twos() -> None:
    newest = said("gold", NOON + timedelta(days=2))

    [found] = conflicts({"plan": said("pro")}, {"plan": said("free")}, {"plan": newest})

    assert (found.result, found.winner) == (newest, None)

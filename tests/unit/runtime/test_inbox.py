"""Telling new events from repeats and from contradictions."""

from datetime import timedelta

from rapport_runtime.inbox import digest, sift

from tests.support.events import NOON, happened, new_subject, told_again

ADA = new_subject()


def test_the_first_of_a_key_is_the_event_and_the_others_are_repeats() -> None:
    visit, order = happened("page.viewed", ADA), happened("order.placed", ADA)

    sifted = sift([visit, order, told_again(visit)], known={})

    assert sifted.new == [visit, order]
    assert sifted.conflicts == []


def test_what_is_known_already_is_a_repeat() -> None:
    visit = happened("page.viewed", ADA)

    sifted = sift([visit], known={visit.key: digest(visit)})

    assert (sifted.new, sifted.conflicts) == ([], [])


def test_another_fingerprint_under_a_known_key_is_a_conflict() -> None:
    first = happened("page.viewed", ADA, event_id="1", fingerprint="A" * 22)
    other = happened("page.viewed", ADA, event_id="1", fingerprint="B" * 22)

    sifted = sift([first, other], known={})

    assert (sifted.new, sifted.conflicts) == ([first], [other])


def test_when_ingest_heard_of_it_does_not_make_another_event() -> None:
    first = happened("page.viewed", ADA, event_id="1", url="/a")
    later = happened("page.viewed", ADA, event_id="1", url="/a", told=NOON + timedelta(hours=1))

    assert digest(first) == digest(later)

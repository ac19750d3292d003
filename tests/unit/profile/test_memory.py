"""What a worker remembers of states, and what it must not."""

from rapport_profile.domain.state import Profile, pack
from rapport_profile.memory import Memory

from tests.support.events import NOON


def test_a_remembered_state_is_handed_out_once() -> None:
    memory, known = Memory(), Profile(points=5)
    memory.keep(pack(known), known)

    first, second = memory.take(pack(known)), memory.take(pack(known))

    assert first is known
    assert second is not known
    assert second == known


def test_a_state_that_was_never_committed_is_not_given_for_the_one_that_was() -> None:
    memory, before = Memory(), Profile(points=5)
    stored = pack(before)
    memory.keep(stored, before)
    rolled_back = memory.take(stored)
    rolled_back.points = 99
    memory.keep(pack(rolled_back), rolled_back)

    assert memory.take(stored).points == 5


def test_the_oldest_are_forgotten_first() -> None:
    memory = Memory(most=2)
    people = [Profile(points=number, first_seen=NOON) for number in range(3)]
    for person in people:
        memory.keep(pack(person), person)

    assert len(memory) == 2
    assert memory.take(pack(people[0])) is not people[0]
    assert memory.take(pack(people[2])) is people[2]

"""What a back-test goes by: who was one person, when a version was in force, who is looked at."""

from rapport_personalization.domain.living import together
from rapport_personalization.domain.plan import is_of_sample
from rapport_personalization.steps import Step, in_force_since

from tests.support.decisions import ADA, BOB, DAY, NOON


def test_whoever_was_merged_before_anybody_wrote_it_down_was_always_one() -> None:
    living = together([BOB, ADA])

    assert living[ADA] is living[BOB]
    assert (living[ADA].key, living[ADA].members) == (ADA, (ADA, BOB))


def test_a_version_was_in_force_only_without_a_break() -> None:
    at = [NOON + n * DAY for n in range(9)]
    taken = [Step("shadow", at[1]), Step("live", at[3]), Step("paused", at[5]), Step("live", at[7])]

    assert in_force_since(taken, at[1], at[5]) == taken[0]
    assert in_force_since(taken, at[2], at[4]) == taken[0]
    assert in_force_since(taken, at[7], at[8]) == taken[3]
    assert in_force_since(taken, at[0], at[2]) is None
    assert in_force_since(taken, at[4], at[6]) is None
    assert in_force_since(taken, at[4], at[8]) is None
    assert in_force_since([], at[4], at[8]) is None


def test_a_greater_sample_has_everybody_of_a_smaller_one() -> None:
    people = [f"person-{n}" for n in range(2_000)]

    few, more = ({one for one in people if is_of_sample(one, share)} for share in (0.1, 0.4))

    assert few < more
    assert 130 < len(few) < 270
    assert 700 < len(more) < 900

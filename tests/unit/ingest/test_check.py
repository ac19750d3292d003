"""Which drafts become events, and what of them is personal."""

from dataclasses import replace

import pytest
from rapport_ingest.blocked import parse_blocklist
from rapport_ingest.draft import Draft, Rejection
from rapport_ingest.pipeline.check import Checked, check_draft, split
from rapport_ingest.pipeline.permission import AGENT, PUBLISHER, permission_of

from tests.support.publishers import cloudevent, from_cloudevent, from_segment, track


def _ticket(**data: object) -> Draft:
    return from_cloudevent(
        cloudevent(
            "ticket.created.v1", {"ticket": "T-1", "identifiers": {"user_id": "u-1"}, **data}
        )
    )


def _refused(draft: Draft) -> Rejection:
    judged = check_draft(draft, PUBLISHER)
    assert isinstance(judged, Rejection)
    return judged


def _good(draft: Draft) -> Checked:
    judged = check_draft(draft, PUBLISHER)
    assert isinstance(judged, Checked), judged
    return judged


def test_what_is_personal_is_told_from_what_is_clear_by_the_class() -> None:
    good = _good(_ticket(body="It broke", topic="repair", properties={"mood": "bad"}))

    assert good.clear == {"ticket": "T-1", "topic": "repair"}
    assert good.personal == {"body": "It broke", "properties": {"mood": "bad"}}
    assert good.person == {"user_id": "u-1"}


def test_what_was_left_out_is_in_neither_part() -> None:
    assert split("ticket.created.v1", {"ticket": "T-1", "body": None}) == ({"ticket": "T-1"}, {})


def test_everything_a_custom_event_says_is_personal_but_its_name() -> None:
    good = _good(from_segment(track("Quiz Finished", score=7)))

    assert good.clear == {"name": "Quiz Finished"}
    assert good.personal == {"properties": {"score": 7}}


def test_a_number_is_taken_for_an_id() -> None:
    good = _good(replace(_ticket(), data={"ticket": 1042}))

    assert good.clear == {"ticket": "1042"}


def test_true_is_no_id() -> None:
    assert _refused(replace(_ticket(), data={"ticket": True})).code == "wrong_type"


def test_the_reason_names_the_field_and_counts_the_others() -> None:
    refused = _refused(_ticket(agnet="eve", mood=3))

    assert (refused.pointer, refused.code) == ("/data/agnet", "unknown_field")
    assert refused.detail.endswith("(and 1 more)")
    assert "eve" not in refused.detail


@pytest.mark.parametrize("event_id", ["", "x" * 129, "a\nb", "a\0b"])
def test_an_id_has_1_to_128_printable_characters(event_id: str) -> None:
    assert _refused(replace(_ticket(), id=event_id)).code == "bad_id"


@pytest.mark.parametrize("source", ["", "/" * 257, "/a\u2028b"])
def test_a_source_has_1_to_256_printable_characters(source: str) -> None:
    assert _refused(replace(_ticket(), source=source)).code in {"bad_source", "bad_id"}


def test_an_identifier_that_was_named_one_by_one_must_be_readable() -> None:
    refused = _refused(_ticket(identifiers={"email": "nobody"}))

    assert (refused.code, refused.pointer) == ("bad_identifier", "/data/identifiers/email")


def test_a_trait_that_is_no_address_is_left_out_and_the_event_is_kept() -> None:
    event = {"type": "identify", "userId": "u-1", "traits": {"email": "nobody"}}

    assert _good(from_segment(event)).person == {"user_id": "u-1"}


def test_a_placeholder_names_nobody() -> None:
    assert _good(_ticket(identifiers={"user_id": "null", "email": "a@x.org"})).person == {
        "email": "a@x.org"
    }


def test_a_blocked_identifier_is_left_out_and_its_event_is_kept() -> None:
    event = _ticket(identifiers={"phone": "+49 (0)30 1234567", "email": "a@x.org"})

    judged = check_draft(event, PUBLISHER, parse_blocklist("phone:+49301234567"))

    assert isinstance(judged, Checked)
    assert judged.person == {"email": "a@x.org"}
    [(pointer, code)] = [(one.pointer, one.code) for one in judged.left_out]
    assert (pointer, code) == ("/identifiers/phone", "blocked_identifier")
    assert "1234567" not in judged.left_out[0].detail


def test_a_merge_with_nobody_but_a_blocked_name_is_no_merge() -> None:
    merge = cloudevent(
        "customer.merged.v1",
        {"identifiers": {"user_id": "u-1"}, "from": {"email": "test@acme.de"}},
    )

    judged = check_draft(from_cloudevent(merge), PUBLISHER, parse_blocklist("email:test@*"))

    assert isinstance(judged, Rejection)
    assert judged.code == "missing_identifiers"


def test_a_merge_names_two_people() -> None:
    one_sided = cloudevent("customer.merged.v1", {"from": {"user_id": "null"}})

    assert _refused(from_cloudevent(one_sided)).code == "missing_identifiers"


def test_the_type_nobody_knows_is_told_as_such_even_to_those_who_may_not_send_it() -> None:
    draft = replace(_ticket(), type="tikcet.created.v1")

    judged = check_draft(draft, AGENT)

    assert isinstance(judged, Rejection)
    assert judged.code == "unknown_type"


def test_an_agent_may_say_which_issue_a_contact_belongs_to() -> None:
    said = cloudevent(
        "issue.corrected.v1",
        {"contact": "call:c-1", "issue": "ticket:T-1", "identifiers": {"user_id": "u-1"}},
    )

    assert isinstance(check_draft(from_cloudevent(said), AGENT), Checked)


@pytest.mark.parametrize(
    ("scopes", "permission"),
    [
        (["events:write", "notes:write"], PUBLISHER),
        (["notes:write", "profile:read"], AGENT),
        (["profile:read"], None),
        ([], None),
    ],
)
def test_what_a_key_may_send_follows_from_its_scopes(scopes: list[str], permission: object) -> None:
    assert permission_of(scopes) is permission

"""What an agent says of a contact and its issue holds."""

from tests.support.attempts import asked, bot, corrected, issues_of, parts, talked


def test_an_agent_takes_a_contact_out_of_an_issue() -> None:
    call = talked("c", 1, ticket="T")

    together = issues_of(asked("T"), call)
    apart = issues_of(asked("T"), call, corrected("call:c", None))

    assert parts(together) == [["ticket:T", "call:c"]]
    assert parts(apart) == [["ticket:T"], ["call:c"]]


def test_an_agent_puts_a_contact_into_another_issue_and_the_newest_word_holds() -> None:
    told = [asked("T"), asked("B", 0.5, "invoice"), *talked("c", 1, ticket="T")]

    moved = issues_of(told, corrected("call:c", "ticket:B", 2))
    back = issues_of(told, corrected("call:c", "ticket:B", 2), corrected("call:c", "ticket:T", 3))

    assert parts(moved) == [["ticket:T"], ["ticket:B", "call:c"]]
    assert moved[0].because["call:c"] == "corrected"
    assert parts(back) == [["ticket:B"], ["ticket:T", "call:c"]]


def test_a_conversation_is_named_by_either_word_for_it() -> None:
    found = issues_of(asked("T"), bot("b", 3, "solved"), corrected("conversation:b", "ticket:T"))

    assert parts(found) == [["ticket:T", "bot:b"]]


def test_a_correction_that_comes_before_its_contacts_holds_when_they_arrive() -> None:
    word = corrected("call:c", "ticket:T", 0)

    assert issues_of(word) == []
    assert parts(issues_of(word, talked("c", 1, topic="invoice"), asked("T", 2))) == [
        ["call:c", "ticket:T"]
    ]

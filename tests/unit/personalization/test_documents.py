"""Documents of triggers: what is wrong with one is said with its line, its column and a hint."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapport_personalization.documents import InvalidTriggerError, read_trigger

PLAIN = "id: ok\nrank: 1\nkind: task\ntemplate: x\non: {event: order.placed, key: order}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidTriggerError) as refused:
        read_trigger(text)
    return [str(one) for one in refused.value.problems]


def test_a_plain_document_is_a_trigger() -> None:
    trigger = read_trigger(PLAIN, version="7")

    assert (trigger.id, trigger.version, trigger.on.events) == (
        "ok",
        "7",
        frozenset({"order.placed.v1"}),
    )


def test_json_is_as_good_as_yaml() -> None:
    text = '{"id": "ok", "rank": 1, "kind": "task", "template": "x", "on": {"event": "order.placed", "key": "order"}}'  # noqa: E501

    assert read_trigger(text) == read_trigger(PLAIN)


def test_on_is_a_word_and_nine_o_clock_is_no_number() -> None:
    text = (
        "id: ok\nrank: 1\nkind: marketing\ntemplate: x\nchannels: [email]\n"
        "on: {calendar: {kind: birthday, at: 09:30}}\n"
    )

    calendar = read_trigger(text).on.calendar

    assert calendar is not None
    assert calendar.at.isoformat() == "09:30:00"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: is empty"),
        ("[1]", "1:1: must be an object"),
        ("{", "1:2: while parsing a flow node, expected the node content"),
        ("id: a\nid: b", "2:1: `id` is said twice"),
        ("a: &x 1\nb: *x", "1:4: anchors, aliases and tags are not used"),
        ("a: !!python/object/apply:os.system [x]", "1:4: anchors, aliases and tags"),
        ("[" * 5_000, "1:31: is nested too deeply"),
        ("a: \x00", "1:4: has characters that no YAML has"),
        ("# " + "x" * 70_000, "1:1: is longer than"),
        ("? {a: b}\n: c", "1:3: a key is a word"),
        (PLAIN + "chanels: [email]", "6:1: chanels: is not known here; did you mean `channels`?"),
        (PLAIN + "delay: 4 hours", "6:8: delay: a duration is written like 30m, 4h or 1d12h"),
        (PLAIN + "delay: -4h", "6:8: delay: cannot be negative here"),
        (PLAIN + "delay: 99999d", "6:8: delay: a duration is 5 years at most"),
        (PLAIN + "reset: maybe", "6:8: reset: Input should be a valid boolean"),
        (PLAIN + "channels: [email]", "a task is for agents: it has no channels"),
        (PLAIN + "cancel: event.amount > 1", "6:9: cancel: there is no `event.amount`"),
        (PLAIN + "when: 'event.amout > 1'", "6:8: when: there is no `event.amout`; did you mean"),
        (
            PLAIN + "when: |\n  event.amount > 1\n    && event.amout > 2\n",
            "8:8: when: there is no `event.amout`",
        ),
        (
            PLAIN + "when: >-\n  event.amount > 1\n  && event.amout > 2\n",
            "8:6: when: there is no `event.amout`",
        ),
        (
            PLAIN + "delay: {until: customer.medan_gap}",
            "6:16: delay.until: there is no instant or duration `customer.medan_gap`; did you mean "
            "`customer.median_gap`?",
        ),
        (
            PLAIN.replace("order.placed", "order.plcaed"),
            "5:13: on.event: there is no event `order.plcaed`; did you mean `order.placed`?",
        ),
        (
            PLAIN.replace("key: order", "anchor: [thng]"),
            "5:36: on.anchor.0: there is no field `thng`; did you mean `thing`?",
        ),
        (
            PLAIN.replace("kind: task", "kind: marketng"),
            "3:7: kind: Input should be 'task', 'service' or 'marketing'; did you mean `market",
        ),
        (PLAIN.replace("rank: 1\n", ""), "1:1: rank: is missing"),
        (
            PLAIN + "goal: {event: order.placed, within: 3d, when: 'event.x > 1'}",
            "6:48: goal.when: there is no `event.x`",
        ),
        (
            PLAIN + "goal: {event: order.placed, within: 3d, when: customer.order_count > 1}",
            "6:47: goal.when: there is no `customer.order_count`",
        ),
        (PLAIN + "caps: [{most: 0, within: 3d}]", "6:15: caps.0.most: Input should be greater"),
        (PLAIN + "caps: [{most: 1, within: 0h}]", "a cap needs a time"),
        (PLAIN + "quiet_hours: at night", "6:14: quiet_hours: hours are written like 20:00-09:00"),
        (PLAIN + "quiet_hours: 20:00Z-09:00Z", "6:14: quiet_hours: hours are written like 20:00"),
        (PLAIN + "quiet_hours: 20:00-09:00", "a task is made at any hour"),
        (PLAIN + "goal: {within: 3d}", "needs one of event, events, none_of"),
        (PLAIN + "offer: {kind: percent, value: 101}", "is 100 percent at most"),
        (PLAIN + "offer: {kind: amount, value: 10}", "an amount needs a currency"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    found = problems(text)

    assert any(said in one for one in found), found


def test_all_that_is_wrong_is_said_at_once_from_top_to_bottom() -> None:
    found = problems(PLAIN + "when: event.x\ncancel: order.y\ndelay: {until: nowhere}\n")

    assert [one.split(":")[0] for one in found] == ["6", "7", "8"]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="id: {}[]-,'\"|>&*!?\n\tonkey\x00é0.5", max_size=80))
def test_no_text_does_anything_but_being_refused(text: str) -> None:
    with pytest.raises(InvalidTriggerError):
        read_trigger(text)

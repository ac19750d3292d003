"""New documents are refused for names that mean nothing, and for parts without effect."""

import pytest
from rapport_personalization.documents import InvalidTriggerError, read_document, read_trigger

HEAD = "id: ok\nrank: 1\nkind: marketing\ntemplate: x\nchannels: [email]\n"
PLAIN = HEAD + "on: {event: order.placed, key: order}\n"
SAVED = HEAD + "on: {events: [ticket.created, call.offered], key: ticket|call}\n"
BORN = HEAD + "on: {calendar: {kind: birthday, at: '09:00'}}\n"
TASK = PLAIN.replace("marketing", "task").replace("channels: [email]\n", "")
RISK = HEAD + "on: {score: {score: churn_risk, above: 0.8}, anchor: [day]}\n"
OFFER = "offer: {kind: percent, value: 10}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            PLAIN.replace("key: order", "key: oder"),
            "6:32: on.key: there is no `oder` in its events; did you mean `order`?",
        ),
        (PLAIN.replace("key: order", "key: ticket"), "on.key: there is no `ticket` in its events"),
        (PLAIN.replace("key: order", "key: sesion"), "did you mean `session`?"),
        (PLAIN.replace("key: order", "key: amount"), "on.key: there is no `amount` in its events"),
        (SAVED.replace("|call", "|cal"), "there is no `cal` in its events; did you mean `call`?"),
        (
            SAVED + "goal: {event: ticket.resolved, key: tickett, within: 1d}\n",
            "7:37: goal.key: there is no `tickett` in its events; did you mean `ticket`?",
        ),
        (
            SAVED + "goal: {none_of: [ticket.reopened], key: order, within: 1d}\n",
            "goal.key: there is no `order` in its events",
        ),
        (
            PLAIN.replace(", key: order", "")
            + "goal: {event: order.delivered, key: order, within: 1d}\n",
            "goal.key: needs `on.key`",
        ),
        (
            BORN + "goal: {event: order.placed, key: order, within: 1d}\n",
            "goal.key: has no effect on a day of the calendar",
        ),
        (BORN + "delay: 2h\n", "7:8: delay: has no effect on a day of the calendar"),
        (BORN + "delay: {until: now}\n", "delay: has no effect on a day of the calendar"),
        (BORN.replace("'}}", "'}, key: order}"), "on.key: has no effect on a day of the"),
        (BORN.replace("'}}", "'}, anchor: [day]}"), "on.anchor: has no effect on a day of the"),
        (
            PLAIN + "delay: {until: order.eta, at_least: 7d}\n",
            "7:37: delay.at_least: has no effect on an instant",
        ),
        (
            RISK.replace("0.8", "80"),
            "6:40: on.score.above: a churn risk lies between 0 and 1; did you mean `0.8`?",
        ),
        (RISK.replace("0.8", "0.0"), "on.score.above: a churn risk lies between 0 and 1"),
        (TASK + OFFER, "6:8: offer: goes with a message to the customer, and there is none"),
        (PLAIN.replace("[email]", "[agent]") + OFFER, "offer: goes with a message"),
    ],
)
def test_what_would_have_no_effect_is_refused_and_read_where_it_was_kept(
    text: str, said: str
) -> None:
    with pytest.raises(InvalidTriggerError) as refused:
        read_document(text)

    (problem,) = map(str, refused.value.problems)
    assert said in problem
    assert read_trigger(text).id == "ok"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        SAVED,
        BORN + "delay: 0s\n",
        RISK,
        RISK.replace("churn_risk, above: 0.8", "clv, above: 80000.0"),
        TASK,
        PLAIN.replace("[email]", "[agent, email]") + OFFER,
        PLAIN.replace("key: order", "key: session"),
        SAVED.replace("ticket|call", "waiting")
        + "goal: {event: ticket.message, key: ticket, within: 1d}\n",
        PLAIN + "delay: {until: customer.median_gap, at_least: 7d}\n",
        HEAD + "on: {event: custom.horoscope.read, key: name}\n",
    ],
)
def test_what_has_an_effect_is_accepted(text: str) -> None:
    assert read_document(text).id == "ok"

"""What somebody changes on their preference page, and the words that it is offered in."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rapport_personalization.domain.consents import Consent, allows
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.policies import DEFAULTS
from rapport_personalization.domain.preferences import (
    NO,
    YES,
    Said,
    allow,
    caught_up,
    changes,
    refusal,
    standing,
)
from rapport_personalization.domain.quiet import is_zone
from rapport_personalization.domain.suppressing import resume, suppress
from rapport_personalization.preferences import render
from rapport_personalization.preferences.form import fill, is_one_click
from rapport_personalization.preferences.render import LANGUAGES, Frame
from rapport_personalization.preferences.zones import ZONES
from rapport_runtime.pages import UnreadableFormError, load_words, parse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = "00000000-0000-4000-8000-000000000001"
EMAIL, SMS = allow("marketing", "email"), allow("marketing", "sms")
PACKAGE = "rapport_personalization.preferences"
CHANNELS = ("email", "sms", "app")


def mark(minutes: int = 0) -> Mark:
    return Mark(NOON + timedelta(minutes=minutes), minutes.to_bytes(16, "big"))


def ada(**consents: bool) -> Customer:
    """By channel, `every` being all of them: what she said of marketing."""
    known = {
        f"{'*' if channel == 'every' else channel}|marketing": Consent(granted, mark())
        for channel, granted in consents.items()
    }
    return Customer(ADA, reaches=dict.fromkeys(CHANNELS, mark()), consents=known)


def test_silence_is_no_to_offers_and_yes_to_news_of_ones_own_affairs() -> None:
    choices = standing(ada(), DEFAULTS)

    assert (choices[EMAIL], choices[allow("service", "email")]) == (NO, YES)


def test_a_yes_to_everything_is_a_yes_to_each_channel_until_one_is_taken_back() -> None:
    every = ada(every=True)

    assert standing(every, DEFAULTS)[SMS] == YES
    after = caught_up(every, [Said(SMS, NO, mark(1))])
    assert (standing(after, DEFAULTS)[SMS], standing(after, DEFAULTS)[EMAIL]) == (NO, YES)
    assert standing(every, DEFAULTS)[SMS] == YES


def test_what_is_no_zone_and_no_time_is_shown_as_the_gates_take_it() -> None:
    odd = Customer(ADA, tz="Mars/Olympus", quiet_hours="whenever")

    choices = standing(odd, DEFAULTS)

    assert (choices["tz"], choices["quiet_hours"]) == ("UTC", "21:00-08:00")


@pytest.mark.parametrize(
    ("customer", "channel", "told"),
    [
        (ada(), "email", True),
        (ada(email=True), "email", True),
        (ada(email=False), "email", False),
        (ada(every=False), "email", False),
        (ada(), None, True),
        (ada(every=False), None, False),
        (ada(email=False), None, True),
        (ada(every=True, email=False), None, True),
    ],
)
def test_a_no_is_told_unless_it_was_the_last_word(
    customer: Customer, channel: str | None, *, told: bool
) -> None:
    facts = refusal(customer, channel)

    assert [fact.type for fact in facts] == ["consent.withdrawn.v1"] * told
    after = caught_up(customer, [Said(n, v, mark(9)) for f in facts for n, v in f.said.items()])
    assert not any(
        allows(after.consents, one, "marketing") for one in [channel or "email", "email"]
    )


choices_of_three = st.fixed_dictionaries(
    dict.fromkeys((EMAIL, SMS, "tz", "language"), st.sampled_from(["yes", "no"]))
)


@given(choices_of_three, choices_of_three, choices_of_three)
def test_only_what_somebody_changed_and_is_not_so_yet_is_told(
    before: dict[str, str], wished: dict[str, str], now: dict[str, str]
) -> None:
    facts = changes(before, wished, now)

    told = {name: value for fact in facts for name, value in fact.said.items()}
    changed = {name for name in wished if wished[name] != before[name]}
    assert told == {name: wished[name] for name in changed if wished[name] != now[name]}
    assert changes(before, wished, {**now, **told}) == []


def test_what_is_not_written_about_is_said_once_and_ends() -> None:
    free = ada()
    (fact,) = suppress(free, NOON, "everything", None, "in_court")
    held = caught_up(free, [Said(*item, mark()) for item in fact.said.items()])

    assert fact.data == {"scope": "everything", "reason": "in_court"}
    assert suppress(held, NOON, "everything", None, None) == []
    assert len(suppress(held, NOON, "marketing", None, None)) == 1
    (back,) = resume(held, NOON, None)
    again = caught_up(held, [Said(*item, mark(1)) for item in back.said.items()])
    assert again.suppressed is None
    assert resume(again, NOON, None) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_choices_or_unreadable(body: bytes) -> None:
    offered = {"language": ["en"], "preferred_channel": ["email"]}
    try:
        filled = fill(parse(body, 100), offered)
    except UnreadableFormError:
        return
    assert set(filled.wished) <= set(filled.before)


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=60), st.binary(max_size=200))
@example("a*0*", b"")
@example("boundary=x", b"--x\r\nContent-Disposition: form-data; a*0*\r\n\r\n--x--")
def test_anything_is_one_click_or_not(kind: str, body: bytes) -> None:
    assert is_one_click(f"multipart/form-data; {kind}", body) in {True, False}


@pytest.mark.parametrize(
    ("part", "clicked"),
    [
        ("", True),
        ("Content-Type: text/plain; charset=utf-8\r\n", True),
        ("Content-Type: text/plain; charset=no-such-set\r\n", True),
        ("Content-Type: application/octet-stream\r\n", True),
        ("Content-Type: multipart/mixed; boundary=y\r\n", False),
    ],
)
def test_mail_programs_write_the_click_as_they_like(part: str, *, clicked: bool) -> None:
    named = 'Content-Disposition: form-data; name="List-Unsubscribe"\r\n'
    body = f"--x\r\n{named}{part}\r\nOne-Click\r\n--x--\r\n".encode()

    assert is_one_click("multipart/form-data; boundary=x", body) == clicked


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language: str) -> None:
    words, english = load_words(PACKAGE, language), load_words(PACKAGE, "en")

    assert list(words) == list(english)
    untranslated = [name for name in words if " " in words[name] and words[name] == english[name]]
    assert (untranslated == []) == (language != "en")
    for channel in ("email", "sms", "phone", "app", "chat", "web", "social"):
        assert words[channel]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["unsubscribed", "expired", "erased", "unknown", "away"])
def test_every_state_is_a_whole_page(state: str, language: str) -> None:
    html = render.message(Frame(language, "Müller & Söhne <b>"), state)

    assert html.startswith(f'<!doctype html>\n<html lang="{language}"')
    assert "Müller &amp; Söhne &lt;b&gt;" in html


def test_the_longest_page_is_light_and_labels_every_field() -> None:
    everywhere = ("email", "sms", "phone", "app", "chat", "web", "social")
    customer = Customer(ADA, reaches=dict.fromkeys(everywhere, mark()), tz="Europe/Berlin")
    before = standing(customer, DEFAULTS)
    flaws = ("language", "preferred_channel", "tz", "quiet_hours")

    html = render.form(Frame("de", "Rapport"), everywhere, before, before, ["en"], flaws=flaws)

    assert len(html.encode()) <= 30_000
    for field in re.findall(r"<(?:input|select)[^>]*>", html):
        name = re.search(r'id="([^"]+)"', field)
        wrapped = f'<label class="option">{field}' in html
        hidden = 'type="hidden"' in field
        assert hidden or wrapped or (name and f'for="{name[1]}"' in html), field


def test_every_zone_on_the_page_is_one() -> None:
    assert [one for one in ZONES if not is_zone(one)] == []
    assert len(set(ZONES)) == len(ZONES)

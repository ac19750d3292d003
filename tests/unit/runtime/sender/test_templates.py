"""Messages in words, by templates that do no harm and come to an end."""

from pathlib import Path

import pytest
from rapport_runtime.sender import FolderTemplates, Rendered, TemplateError
from rapport_runtime.sender.templates import MOST_SOURCE

from tests.support.sending import templates_in

_BIG = "x" * 60_000


def rendered(folder: Path, source: str, **variables: object) -> Rendered:
    templates = templates_in(folder, hello_en=source)
    found = templates.render("hello", "en", variables)
    assert found is not None
    return found


def said(folder: Path, source: str, **variables: object) -> str:
    return rendered(folder, source, **variables).text


def test_a_first_line_may_be_the_subject(tmp_path: Path) -> None:
    message = rendered(tmp_path, "Subject: Dear {{ name }}\nHow was it?\n", name="Ada")

    assert (message.subject, message.text) == ("Dear Ada", "How was it?\n")


def test_a_subject_is_one_line_whatever_is_in_it(tmp_path: Path) -> None:
    message = rendered(tmp_path, "Subject: {{ title }}\nHi", title="a\r\nBcc: eve@example.com")

    assert message.subject == "a Bcc: eve@example.com"


@pytest.mark.parametrize(
    ("language", "text"),
    [("de", "Hallo"), ("de-AT", "Hallo"), ("DE_ch", "Hallo"), ("pt", "Hello"), (None, "Hello")],
)
def test_a_language_falls_back_to_its_relative_and_to_ours(
    tmp_path: Path, language: str | None, text: str
) -> None:
    templates = templates_in(tmp_path, hello_en="Hello", hello_de="Hallo")

    found = templates.render("hello", language, {})

    assert found == Rendered(f"{text}\n")


def test_a_template_in_one_language_alone_is_used_for_all(tmp_path: Path) -> None:
    found = templates_in(tmp_path, hello_fr="Bonjour").render("hello", "pt", {})

    assert found == Rendered("Bonjour\n")


def test_an_unknown_template_is_none(tmp_path: Path) -> None:
    assert templates_in(tmp_path).render("hello", "en", {}) is None


def test_a_folder_of_the_operator_comes_before_ours(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        templates_in(folder, hello_en=folder.name)

    assert FolderTemplates([ours, theirs]).render("hello", "en", {}) == Rendered("theirs\n")


def test_what_customers_are_called_cannot_become_html(tmp_path: Path) -> None:
    (tmp_path / "hello.en.html.liquid").write_text("<p>{{ name }}</p>", "utf-8")

    message = rendered(tmp_path, "{{ name }}", name="<script>")

    assert message.html == "<p>&lt;script&gt;</p>\n"
    assert message.text == "<script>\n"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{{ 1250 | money: "EUR" }}', "12.50 EUR"),
        ('{{ -5 | money: "EUR", "," }}', "-0,05 EUR"),
        ('{{ 500 | money: "JPY" }}', "500 JPY"),
        ('{{ 1500 | money: "KWD" }}', "1.500 KWD"),
        ('{{ "2026-03-01T23:30:00-02:00" | date: "%d.%m.%Y" }}', "02.03.2026"),
        ('{{ "2026-03-01" | date }}', "2026-03-01"),
    ],
)
def test_amounts_and_days_read_as_people_write_them(tmp_path: Path, source: str, text: str) -> None:
    assert said(tmp_path, source) == f"{text}\n"


class _Secretive:
    secret = "s3cret"  # noqa: S105 - made up


@pytest.mark.parametrize(
    "path", ["thing.secret", "thing.__class__", "thing['secret']", "name.upper", "list.append"]
)
def test_attributes_of_what_a_message_brings_along_cannot_be_read(
    tmp_path: Path, path: str
) -> None:
    with pytest.raises(TemplateError):
        said(tmp_path, f"{{{{ {path} }}}}", thing=_Secretive(), name="Ada", list=[1])


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("a\n\n  {{ nme }}", "hello.en.liquid:3:6: a variable is missing"),
        ("Subject: x\n{% foo %}", "hello.en.liquid:2:4: cannot be read"),
        ("{{ name | shout }}", "hello.en.liquid:1:11: there is no such filter"),
        ('{{ "x" | money: "EUR" }}', "hello.en.liquid:1:10: a filter cannot take this value"),
        ('{{ "x" | date: "%9999999d" }}', "hello.en.liquid:1:10: a filter cannot take this value"),
        ("{% include 'other' %}", "hello.en.liquid:1:4: cannot be read"),
        ("{% for i in (1..1000000000) %}x{% endfor %}", "hello.en.liquid:1:4: loops for too long"),
        (
            "{% for i in (1..40) %}{% for j in (1..40) %}x{% endfor %}{% endfor %}",
            "hello.en.liquid:1:4: loops for too long",
        ),
        (
            "{% for i in (1..900) %}{{ big }}{% endfor %}",
            "hello.en.liquid:1:4: makes more than 256000 bytes",
        ),
        (
            "{% assign a = name %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}",
            "hello.en.liquid:1:25: holds too much at once",
        ),
        ("{% if name %}" * 20 + "{% endif %}" * 20, "hello.en.liquid:1:173: is nested too deeply"),
    ],
)
def test_a_template_that_is_wrong_or_explodes_is_refused_with_its_place(
    tmp_path: Path, source: str, sentence: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        said(tmp_path, source, name="Ada", big=_BIG)

    assert str(caught.value) == sentence


def test_numbers_that_explode_come_to_an_end(tmp_path: Path) -> None:
    squares = (
        "{% assign n = 99999 %}{% for i in (1..99) %}{% assign n = n | times: n %}{% endfor %}"
    )

    with pytest.raises(TemplateError, match="holds too much at once"):
        said(tmp_path, squares)


def test_no_error_quotes_a_value(tmp_path: Path) -> None:
    with pytest.raises(TemplateError) as caught:
        said(tmp_path, '{{ name | money: "EUR" }}', name="Ada Lovelace")

    assert "Ada" not in str(caught.value)


def test_a_template_that_is_too_long_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hello.en.liquid").write_bytes(b"x" * (MOST_SOURCE + 1))
    with pytest.raises(TemplateError, match="is longer"):
        FolderTemplates([tmp_path])

    (tmp_path / "hello.en.liquid").write_bytes(b"\xff")
    with pytest.raises(TemplateError, match="not UTF-8"):
        FolderTemplates([tmp_path])


def test_a_folder_that_is_not_there_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no such folder"):
        FolderTemplates([tmp_path / "mistyped"])

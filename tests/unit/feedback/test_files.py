"""Surveys as files: what comes with the service, and what is said about a file that is wrong."""

from pathlib import Path

import pytest
from rapport_feedback.domain.rules import EventRule
from rapport_feedback.domain.texts import say
from rapport_feedback.files import BadDefinitionsError, defaults, read_path

SURVEY = """
id: parcel
kind: csat
title: {en: Your parcel, no: Pakken din}
questions:
  - {id: score, type: score, text: {en: "How was it?"}}
rules:
  - {id: parcel, on: order.delivered, where: {on_time: true}}
"""


def test_the_surveys_that_we_bring_are_whole_in_four_languages() -> None:
    ours = {one.id: one for one in defaults()}

    assert {one.kind for one in ours.values()} == {"nps", "csat", "ces"}
    for one in ours.values():
        texts = [one.title, one.thanks or {}, *(question.text for question in one.questions)]
        texts += [words for score in one.scores for words in (score.low, score.high) if words]
        assert {tuple(words) for words in texts} == {("en", "de", "fr", "es")}
        assert one.rules


def test_a_file_says_on_and_no_and_means_them(tmp_path: Path) -> None:
    (tmp_path / "parcel.yaml").write_text(SURVEY)

    (read,) = read_path(tmp_path)

    (rule,) = read.rules
    assert isinstance(rule, EventRule)
    assert (rule.on, rule.where) == ("order.delivered", {"on_time": True})
    assert say(read.title, "no") == "Pakken din"


def test_a_directory_holds_yaml_and_json_and_other_things(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(SURVEY)
    (tmp_path / "README.md").write_text("not a survey")
    (tmp_path / "b.json").write_text(
        read_path(tmp_path / "a.yml")[0].model_copy(update={"id": "other"}).model_dump_json()
    )

    assert sorted(one.id for one in read_path(tmp_path)) == ["other", "parcel"]


def test_every_flaw_is_named_with_its_file_and_field(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SURVEY.replace("csat", "mood"))
    (tmp_path / "b.yaml").write_text(SURVEY.replace("on_time", "colour"))
    (tmp_path / "c.yaml").write_text("{broken")
    (tmp_path / "d.yaml").write_text("!!python/object/apply:os.system ['true']")
    (tmp_path / "e.yaml").write_text("- just\n- a list")

    with pytest.raises(BadDefinitionsError) as refused:
        read_path(tmp_path)

    told = str(refused.value)
    assert "a.yaml: kind:" in told
    assert "b.yaml: rules.0.event:" in told
    assert "no colour" in told
    assert all(f"{name}.yaml:" in told for name in "cde")


def test_a_survey_is_defined_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SURVEY)
    (tmp_path / "b.yaml").write_text(SURVEY)

    with pytest.raises(BadDefinitionsError, match="parcel: is defined more than once"):
        read_path(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDefinitionsError, match=r"gone\.yaml"):
        read_path(tmp_path / "gone.yaml")

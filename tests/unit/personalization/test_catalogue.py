"""The triggers that the project ships do what their scenarios say, and speak both languages."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from rapport_personalization import marked, simulate
from rapport_personalization.documents import FOLDER
from rapport_personalization.domain.fields import ALWAYS
from rapport_personalization.domain.gates import GATES
from rapport_personalization.domain.trigger import Entry, Trigger
from rapport_personalization.schemas.generate import PATH, schema_text
from rapport_personalization.simulate import run_scenarios
from rapport_runtime.sender.templates import FolderTemplates

from tests.support.decisions import shipped

TABLE = (
    "detractor_recovery", "low_score_recovery", "repeat_contact", "vip_care", "sla_apology",
    "case_checkup", "thanks", "shipped", "arrival_followup", "abandoned_cart",
    "browse_abandonment", "welcome", "onboarding_nudge", "birthday", "anniversary",
    "loyalty_tier", "replenishment", "at_risk", "win_back", "high_churn_risk",
)  # fmt: skip
"""In the order of the specification, which is their rank."""

MORE = {
    "waiting_and_buying", "shipment_delayed", "promise_due", "payment_failed",
    "cancellation_save", "points_expiring", "incident_apology",
}  # fmt: skip

TEMPLATES = FOLDER.parent / "templates"


def test_all_triggers_ship_in_their_order() -> None:
    ranked = [one.id for one in shipped().triggers]

    assert tuple(ranked[:20]) == TABLE
    assert set(ranked[20:]) == MORE


def test_every_scenario_comes_out_as_it_is_told() -> None:
    report = run_scenarios()

    assert report.is_green, str(report)
    assert report.passed >= 4 * len(shipped().triggers)


def test_every_trigger_has_at_least_four_scenarios() -> None:
    for trigger in shipped().triggers:
        path = FOLDER / "scenarios" / f"{trigger.id}.yaml"
        assert len(simulate._read(path).scenarios) >= 4, trigger.id


IDLE = {
    ("welcome", "once"),
    ("onboarding_nudge", "once"),
    ("birthday", "cooldown"),
    ("anniversary", "cooldown"),
    ("at_risk", "cooldown"),
    ("win_back", "cooldown"),
}
"""Never reached by one person: the anchor is once a life or a year, or the delay is longer."""


def _parts() -> list[tuple[str, str]]:
    """Each part of each trigger that makes it do something, or not."""
    plain = Trigger(id="plain", rank=1, kind="task", on=Entry(), template="x")
    parts = ("when", "unless", "cancel", "delay", "reset", "cooldown", "once")
    named = [
        (one.id, part)
        for one in shipped().triggers
        for part in parts
        if getattr(one, part) != getattr(plain, part)
    ]
    return [one for one in named if one not in IDLE]


@pytest.mark.parametrize(("name", "part"), _parts())
def test_no_part_of_a_trigger_can_be_left_out_unnoticed(name: str, part: str) -> None:
    triggers = {one.id: one for one in shipped().triggers}
    plain = Trigger(id=name, rank=1, kind="task", on=Entry(), template="x")
    triggers[name] = replace(triggers[name], **{part: getattr(plain, part)})
    told = simulate._read(FOLDER / "scenarios" / f"{name}.yaml").scenarios

    assert any(simulate._differs(one, name, triggers) is not None for one in told)


def test_the_classes_and_cooldowns_are_those_of_the_specification() -> None:
    known = shipped()
    tasks = {"detractor_recovery", "low_score_recovery", "repeat_contact", "vip_care"}
    service = {"sla_apology", "case_checkup", "thanks", "shipped", "arrival_followup"}
    days = {
        "detractor_recovery": 30, "low_score_recovery": 14, "repeat_contact": 7,
        "abandoned_cart": 7, "browse_abandonment": 14, "birthday": 300, "anniversary": 300,
        "replenishment": 14, "at_risk": 45, "win_back": 60, "high_churn_risk": 60,
    }  # fmt: skip

    for name in TABLE:
        trigger = known[name]
        kind = "task" if name in tasks else "service" if name in service else "marketing"
        cooldown = timedelta(days=days[name]) if name in days else None
        assert (trigger.kind, trigger.cooldown) == (kind, cooldown), name
        assert trigger.once == (name in ("welcome", "onboarding_nudge"))
        assert trigger.holdout == (1_000 if kind == "marketing" else 0)
        assert trigger.goal is not None


def test_the_schema_for_editors_is_up_to_date_and_fits_every_document() -> None:
    assert PATH.read_text() == schema_text(), (
        "run python -m rapport_personalization.schemas.generate"
    )
    schema = jsonschema_rs.validator_for(json.loads(schema_text()))

    for path in FOLDER.glob("*.yaml"):
        schema.validate(marked.read(path.read_text()).value)


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_message_can_be_said_in_both_languages(language: str) -> None:
    templates = FolderTemplates([TEMPLATES])
    some = {"anchor": "2", "order": {"id": "o1"}, "ticket": {"id": "t1"}}
    said = {
        **some,
        "preferences_link": "https://x.example/p/1",
        "customer": {"order_count": 4},
        "points": {"left": 3},
    }

    for trigger in shipped().triggers:
        assert (TEMPLATES / f"{trigger.template}.{language}.liquid").exists(), trigger.template
        rendered = templates.render(trigger.template, language, said)
        assert rendered is not None
        assert rendered.text
        assert (rendered.subject is None) == (trigger.kind == "task")
        # Whoever is advertised to is told how to stop it.
        assert ("https://x.example/p/1" in rendered.text) == (trigger.kind == "marketing")


def test_the_guide_tells_of_every_field_and_every_gate() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "triggers.md").read_text()

    for name, field in ALWAYS.items():
        assert f"| `{name}` | {field.type} | {field.about} |" in guide
    for gate in GATES:
        assert f"`{gate.__name__}`" in guide
    assert "ships 27 of them" in guide


def test_a_scenario_that_comes_out_differently_is_told_readably(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "thanks.yaml").write_text((FOLDER / "thanks.yaml").read_text())
    (tmp_path / "scenarios" / "thanks.yaml").write_text(
        "trigger: thanks\nscenarios:\n"
        "  - name: it comes too early\n"
        "    given: [{at: 1h, event: order.placed, order: o1, amount: 100}]\n"
        "    expect: [{at: 1h, outcome: sent}]\n"
        "  - name: it has a typing error\n"
        "    given: [{at: 1h, event: order.placed, ordr: o1}]\n"
        "    expect: []\n"
    )

    report = run_scenarios(tmp_path)

    assert not report.is_green
    assert "expected:\n      2026-03-02 11:00 sent" in str(report)
    assert "2026-03-02 12:00 sent" in str(report)
    assert "order.placed has no `ordr`; did you mean `order`?" in str(report)
    assert "1 triggers, 2 scenarios, 2 failed" in str(report)


def test_a_scenario_tells_of_a_condition_that_cannot_be_worked_out(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    rule = (FOLDER / "thanks.yaml").read_text()
    divides = "cancel: 1000 / customer.points > 3"
    (tmp_path / "thanks.yaml").write_text(
        rule.replace("cancel: 'order.is_fully_refunded'", divides)
    )
    (tmp_path / "scenarios" / "thanks.yaml").write_text(
        "trigger: thanks\nscenarios:\n"
        "  - name: it is called off\n"
        "    given: [{at: 1h, event: order.placed, order: o1, amount: 100}]\n"
        "    expect: [{at: 2h, outcome: cancelled}]\n"
    )

    said = str(run_scenarios(tmp_path))

    assert "cancelled says neither yes nor no" in said
    assert "divide by zero (customer.points = 0)" in said


def test_a_trigger_without_a_scenario_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "thanks.yaml").write_text((FOLDER / "thanks.yaml").read_text())

    report = run_scenarios(tmp_path)

    assert not report.is_green
    assert "thanks: no scenario" in str(report)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trigger: thanks\nscenarios: []\n", "2:12: scenarios"),
        ("trigger: thanks\nscenarios:\n  - nme: x\n", "nme"),
        ("trigger: thanks\nscenarios: [\n", "3:1"),
        ("trigger: thanx\nscenarios:\n  - {name: whatever, expect: []}\n", "did you mean `thanks`"),
    ],
)
def test_a_scenario_that_cannot_be_read_says_where(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "thanks.yaml").write_text((FOLDER / "thanks.yaml").read_text())
    (tmp_path / "scenarios" / "bad.yaml").write_text(text)

    assert said in str(run_scenarios(tmp_path))


def test_the_command_says_by_its_code_how_it_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thanks.yaml").write_text((FOLDER / "thanks.yaml").read_text())

    codes = [simulate.command(one) for one in ([], [str(tmp_path)], [str(tmp_path / "nowhere")])]

    assert codes == [0, 1, 2]
    told = capsys.readouterr()
    assert "27 triggers, " in told.out
    assert "there is no folder" in told.err

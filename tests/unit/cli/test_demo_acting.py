"""What the demo prints of whom it wrote to, and whom it left alone."""

from typing import Any

from rapport_cli.demo.acted_lines import explained

WHY: dict[str, Any] = {
    "trigger": "abandoned_cart",
    "version": "2",
    "sentence": "the gate no_consent stopped it",
    "gate": "no_consent",
    "gates": [
        {"name": "erased", "passed": True, "value": None, "events": []},
        {"name": "no_consent", "passed": False, "value": "email: no", "events": ["0123456789ab"]},
        {"name": "cooldown", "passed": False, "value": "2026-03-01", "events": []},
    ],
}


def test_the_gate_that_stopped_it_stands_out_with_its_event() -> None:
    first, *gates = explained(WHY)

    assert first.strip() == "abandoned_cart@2: the gate no_consent stopped it"
    assert [line.split()[0] for line in gates] == ["passed", "STOPPED", "failed"]
    assert gates[1].endswith("no_consent  email: no  by event 01234567…")

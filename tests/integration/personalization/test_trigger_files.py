"""Triggers as files are checked like those that come by the API, before any of them is live."""

import asyncio
from pathlib import Path

import pytest
from rapport_personalization.documents import InvalidTriggerError
from rapport_personalization.main import worker_component

from tests.integration.personalization.conftest import Open
from tests.integration.personalization.test_triggers_api import THANKS
from tests.support.personalization_house import House


async def refused(house: House) -> list[str]:
    """What a worker that starts says against them."""
    worker = worker_component(house.settings, house.resources)
    with pytest.raises(InvalidTriggerError) as found:
        await worker(asyncio.Event())
    return [str(one) for one in found.value.problems]


async def test_a_file_that_names_no_template_stops_the_worker(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text(THANKS.replace("template: thanks", "template: thnaks"))
    (tmp_path / "other.yaml").write_text(THANKS.replace("id: hello", "id: other"))

    async with opened(triggers_dir=tmp_path) as house:
        said = await refused(house)
        live = await house.rows("SELECT trigger FROM trigger_version")

    assert said == [
        "8:11: hello.yaml template: there is no template `thnaks`; did you mean `thanks`?"
    ]
    assert live == []


async def test_two_files_with_one_id_are_both_named(opened: Open, tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(THANKS)
    (tmp_path / "c.yaml").write_text("rank: 1\n")
    (tmp_path / "d.yaml").write_bytes(b"\xff")

    async with opened(triggers_dir=tmp_path) as house:
        said = await refused(house)
        live = await house.rows("SELECT trigger FROM trigger_version")

    assert "2:5: b.yaml id: `hello` is the id in a.yaml already" in said
    assert "1:1: c.yaml id: is missing" in said
    assert "1:1: d.yaml: is not UTF-8" in said
    assert live == []

"""Types the lines of the guide for publishers, in order and as they stand."""

import os
import shutil

import pytest
from rapport_cli.commands.env import variables
from rapport_cli.stackfile import read_stack

from tests.e2e.test_readme import ROOT, type_in
from tests.support.demo import DemoStack
from tests.support.readme import examples

GUIDE = ROOT / "docs" / "publishers.md"


def test_every_line_of_the_guide_does_what_it_says(demo_stack: DemoStack) -> None:
    if shutil.which("curl") is None or not (ROOT / ".venv/bin/rapport").exists():
        pytest.skip("needs curl, and the environment that `make install` makes")
    stack = read_stack(demo_stack.file)
    environment = {**os.environ, **variables(stack, demo_stack.file)}

    printed = "".join(type_in(block, environment) for block in examples(GUIDE))

    for expected in (
        '"accepted":1,"rejected":[{"index":1,"id":"g-11"',  # one good, one bad
        '"valid":true',  # the dry run
        '"type":"order.placed.v1"',
        '"clear":["amount","currency","order"]',
        '"event_id":"g-11"',  # in quarantine
    ):
        assert expected in printed

"""Types the lines of the guide to surveys and feedback, in order and as they stand."""

import os
import shutil

import pytest
from rapport_cli.commands.env import variables
from rapport_cli.stackfile import read_stack

from tests.e2e.test_readme import ROOT, type_in
from tests.support.demo import DemoStack
from tests.support.readme import examples

GUIDE = ROOT / "docs" / "feedback.md"


def test_every_line_of_the_guide_does_what_it_says(demo_stack: DemoStack) -> None:
    if shutil.which("curl") is None or not (ROOT / ".venv/bin/rapport").exists():
        pytest.skip("needs curl, and the environment that `make install` makes")
    environment = {**os.environ, **variables(read_stack(demo_stack.file), demo_stack.file)}

    printed = "".join(type_in(block, environment) for block in examples(GUIDE))

    for expected in (
        '"state":"live"',  # the survey
        '"eligible":0',  # nobody was asked yet
        "/s/",  # the link for a kiosk
        '"revision":2',  # the correction
        '"solved":["no"]',
        "nobody called back",  # the answer, read again
        '"skip_negated"',  # the rules
        '"negated":true',  # the try
        '"topics":["packaging"]',  # a person's word
        '"overdue":false',  # the follow-up
        '"owner":"ben"',
        '"outcome":"replaced","informed":true',
        '"top_box"',  # the trends
        "survey,",  # the export
    ):
        assert expected in printed, expected

"""Types the lines of the guide for agent frontends, in order and as they stand."""

import os
import re
import shutil

import pytest
from rapport_cli.commands.env import variables
from rapport_cli.stackfile import read_stack

from tests.e2e.test_readme import ROOT, type_in
from tests.support.demo import DemoStack
from tests.support.readme import examples
from tests.support.up import profile_status

GUIDE = ROOT / "docs" / "agents.md"

_TOKEN = re.compile(r'"consistency_token":"([^"]+)"')


def test_every_line_of_the_guide_does_what_it_says(demo_stack: DemoStack) -> None:
    if shutil.which("curl") is None or not (ROOT / ".venv/bin/rapport").exists():
        pytest.skip("needs curl, and the environment that `make install` makes")
    stack = read_stack(demo_stack.file)
    environment = {**os.environ, **variables(stack, demo_stack.file)}

    printed = ""
    for block in examples(GUIDE):
        said = type_in(block, environment)
        if token := _TOKEN.search(said):
            # A person types more slowly than the projection reads.
            assert profile_status(stack, "u-hedy", token[1]) == 200
        printed += said

    for expected in (
        '"first_name":{"event"',  # the profile, traits with provenance
        '"net":4990',
        "2 pages viewed",  # the cards
        '"as_of":"2026-11-20T09:02:30.000Z"',  # the past
        '"change":"added"',  # what changed since
        '"url":"/v1/profiles/',  # the search
        "Prefers to be called after five.",  # what was just written
        '"reason":"user_id: 2 > 1"',  # the suggestion
        '"guards":[{"kind":"user_id","total":2,"limit":1}]',  # the preview
        '"merge":{"event_id":"m-hedy","source":"/desk/eve"}',  # the links
        '"state":"cut","explicit":true',  # the unmerge
        '"because":"hand_over"',  # what they already went through
        '"versions":[{"event"',  # the notes
        '"traits.first_name"',  # masked
        '"purpose":"call c-501"',  # the audit trail
    ):
        assert expected in printed

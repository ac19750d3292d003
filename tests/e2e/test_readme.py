"""Types the README's examples, in order and as they stand, while the demo's stack runs."""

import os
import shutil
import subprocess
import sys

import httpx2
import pytest
from rapport_cli.commands.env import variables
from rapport_cli.stackfile import read_stack

from tests.support.demo import DemoStack
from tests.support.readme import README, Block, examples

ROOT = README.parent
SECONDS = 60

# curl says nothing of a refusal, and its exit status neither, unless asked to.
PRELUDE = """
set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
eval "$(.venv/bin/rapport env)"
"""


@pytest.fixture(scope="module")
def typed(demo_stack: DemoStack) -> list[str]:
    """What each example prints."""
    if shutil.which("curl") is None or not (ROOT / ".venv/bin/rapport").exists():
        pytest.skip("needs curl, and the environment that `make install` makes")
    environment = {**os.environ, "RAPPORT_STACK": str(demo_stack.file)}
    environment |= variables(read_stack(demo_stack.file), demo_stack.file)
    return [type_in(block, environment) for block in examples()]


def test_every_example_does_what_it_says(typed: list[str]) -> None:
    printed = "\n".join(typed)

    for said in (
        '"order.placed.v1"',  # curl, with ?debug=1
        '"ticket":"T-7"',  # the profile
        "Where is it?",  # the cards
        '"custom.coffee_enjoyed.v1":1',  # what was just written
        '"changes"',  # what changed between two moments
        '"feedback":[{"survey"',  # what customers answered
        '"kpi":"contacts"',  # a KPI, by week and channel
        '"verdict":',  # why, or why not
    ):
        assert said in printed


def test_what_was_sent_in_four_ways_is_one_customers_history(
    typed: list[str], demo_stack: DemoStack
) -> None:
    wanted = {
        "order.placed.v1",
        "customer.identified.v1",
        "product.viewed.v1",
        "ticket.created.v1",
        "call.offered.v1",
        "custom.coffee_enjoyed.v1",
    }
    assert typed

    types = types_of_grace(demo_stack)
    while "call.offered.v1" not in types:  # a record of Kafka gets no token to wait for
        types = types_of_grace(demo_stack)

    assert types == wanted


def types_of_grace(demo_stack: DemoStack) -> set[str]:
    stack = read_stack(demo_stack.file)
    answer = httpx2.get(
        f"{stack['profile']}/v1/profiles/email:grace@example.com?include=events",
        headers={"authorization": f"Bearer {stack['keys']['agent']}"},
        trust_env=False,
        timeout=SECONDS,
    )
    return set(answer.raise_for_status().json()["events"])


def type_in(block: Block, environment: dict[str, str]) -> str:
    """Raises CalledProcessError when the example fails."""
    program = ["bash", "-c", PRELUDE + block.code]
    if block.language == "python":
        program = [sys.executable, "-c", block.code]
    done = subprocess.run(
        program, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, f"{block.code}\n{done.stdout}\n{done.stderr}"
    return done.stdout

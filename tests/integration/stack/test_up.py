"""`rapport up`: two stacks at once, then one loses a service, and both their lives."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.support.servers import server_directory
from tests.support.up import Up, profile_status, publish, rapport_up, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at /proc (Linux)")

_RESTART_SECONDS = 120.0
_PROJECTING = ("profile", "personalization", "feedback", "metrics")


@pytest.fixture(scope="module")
def stacks() -> Iterator[tuple[Up, Up]]:
    """Two stacks that were started at the same time, side by side."""
    with (
        server_directory() as folder,
        rapport_up(folder / "one", first_port=21_000) as one,
        rapport_up(folder / "other", first_port=21_500) as other,
    ):
        one.wait_until_ready()
        other.wait_until_ready()
        yield one, other


def test_a_ready_stack_takes_an_event_and_shows_it(stacks: tuple[Up, Up]) -> None:
    stack = stacks[0].stack
    customer = f"u-{uuid4().hex}"

    token = publish(stack, customer)

    assert profile_status(stack, customer, token) == httpx2.codes.OK


def test_stacks_side_by_side_know_nothing_of_each_other(stacks: tuple[Up, Up]) -> None:
    one, other = (each.stack for each in stacks)
    customer = f"u-{uuid4().hex}"

    token = publish(one, customer)

    assert profile_status(one, customer, token) == httpx2.codes.OK
    assert profile_status(other, customer) == httpx2.codes.NOT_FOUND
    assert one["keys"].items().isdisjoint(other["keys"].items())
    assert one["kafka"] != other["kafka"]


def test_what_the_stack_file_tells_is_for_its_owner_only(stacks: tuple[Up, Up]) -> None:
    file = stacks[0].state_dir / "stack.json"

    assert file.stat().st_mode & 0o777 == 0o600
    assert stacks[0].stack["pids"].keys() >= {"ingest", "profile", "kafka", "postgres"}


def test_each_key_may_do_what_its_role_needs_and_no_more(stacks: tuple[Up, Up]) -> None:
    stack = stacks[0].stack
    customer = f"u-{uuid4().hex}"
    token = publish(stack, customer)

    status = {role: profile_status(stack, customer, token, role=role) for role in stack["keys"]}

    assert status == {"publisher": 403, "agent": 200, "ops": 200}


def test_the_doctor_finds_nothing_wrong_with_a_stack_that_works(stacks: tuple[Up, Up]) -> None:
    status, findings = stacks[0].ask("doctor", "--json")

    assert status == 0, findings
    states = {finding["what"]: finding["state"] for finding in findings}
    assert states["canary"] == states["topics"] == "ok"
    assert {states[f"projection of {name}"] for name in _PROJECTING} == {"ok"}


def test_topics_are_listed_with_the_partitions_that_they_have(stacks: tuple[Up, Up]) -> None:
    status, topics = stacks[0].ask("topics", "list", "--json")

    assert status == 0
    assert {topic["partitions"] for topic in topics} == {4}
    assert "rapport.interactions.v1" in {topic["topic"] for topic in topics}


def test_what_ingest_refused_is_listed_with_its_reason(stacks: tuple[Up, Up]) -> None:
    stack = stacks[0].stack
    refused = uuid4().hex
    batch = {"batch": [{"type": "track", "messageId": refused, "userId": "u-1"}]}
    auth = (stack["keys"]["publisher"], "")
    httpx2.post(f"{stack['ingest']}/v1/batch", json=batch, auth=auth, timeout=15, trust_env=False)

    status, rows = stacks[0].ask("quarantine", "list", "--json")

    assert status == 0
    assert [row["code"] for row in rows if row["event_id"] == refused]
    assert stacks[0].ask("parked", "list", "--json") == (0, [])


def test_a_service_that_dies_is_started_again_and_it_is_said(stacks: tuple[Up, Up]) -> None:
    up = stacks[0]
    before = up.stack["pids"]["profile"]

    os.kill(before, signal.SIGKILL)
    wait_until(lambda: "profile runs again" in up.talk, _RESTART_SECONDS)

    assert up.stack["pids"]["profile"] != before
    assert "profile ended with status -9" in up.talk
    assert "profile runs again" in up.talk
    customer = f"u-{uuid4().hex}"
    assert profile_status(up.stack, customer, publish(up.stack, customer)) == httpx2.codes.OK


def test_a_second_stack_is_kept_out_of_the_same_folder(stacks: tuple[Up, Up]) -> None:
    with rapport_up(stacks[0].state_dir, first_port=22_000) as second:
        status = second.process.wait(60)

    assert status == 3
    assert "RPT-S003" in second.talk
    assert stacks[0].stack["pids"]


def test_a_busy_port_is_named_with_one_that_is_free(stacks: tuple[Up, Up]) -> None:
    with server_directory() as folder:
        second = Up(folder / "second", stacks[0].base_port)
        status = second.process.wait(60)

        assert status == 3
        assert f"RPT-S004 Port {stacks[0].base_port + 1}" in second.talk
        assert "--base-port" in second.talk
        assert second.processes() == set()


def test_ending_one_stack_leaves_no_process_of_it_and_the_other_unharmed(
    stacks: tuple[Up, Up],
) -> None:
    one, other = stacks
    before = one.processes()

    status = one.stop()

    assert status == 0
    one.wait_until_gone(before)
    assert not (one.state_dir / "stack.json").exists()
    customer = f"u-{uuid4().hex}"
    token = publish(other.stack, customer)
    assert profile_status(other.stack, customer, token) == httpx2.codes.OK


def test_nothing_outlives_a_supervisor_that_is_killed(stacks: tuple[Up, Up]) -> None:
    other = stacks[1]
    before = other.processes()

    other.process.kill()
    other.process.wait(10)

    assert before > set(other.stack["pids"].values())
    other.wait_until_gone(before)

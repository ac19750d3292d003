"""What a folder remembers from one stack to the next."""

from pathlib import Path

import pytest
from rapport_cli.stack.accesskeys import ROLES, stack_keys, take_over
from rapport_cli.stack.statedir import (
    OtherBrokerError,
    StateDir,
    StateDirInUseError,
    write_private,
)
from rapport_runtime.http.keyfile import add_key, read_keys, revoke_key


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir(tmp_path / "stack")
    with state.taken():
        pass
    return state


def test_the_first_stack_of_a_folder_gets_the_embedded_broker_and_starts_fresh(
    state: StateDir,
) -> None:
    assert state.choose_broker("auto") == ("embedded", True)


def test_a_folder_with_a_log_that_is_kept_goes_on_with_it(state: StateDir) -> None:
    state.keep_broker("apache", fresh=False)

    assert state.choose_broker("auto") == ("apache", False)


def test_a_log_that_is_kept_is_not_left_behind_for_another(state: StateDir) -> None:
    state.keep_broker("apache", fresh=False)

    with pytest.raises(OtherBrokerError, match="apache"):
        state.choose_broker("embedded")


def test_what_came_from_a_log_in_memory_is_not_kept_for_a_real_one(state: StateDir) -> None:
    state.keep_broker("embedded", fresh=True)

    assert state.choose_broker("apache") == ("apache", True)


def test_events_that_waited_for_a_log_that_is_gone_go_with_it(state: StateDir) -> None:
    (state.spool / "ingest").mkdir()

    state.keep_broker("embedded", fresh=True)

    assert list(state.spool.iterdir()) == []


def test_two_stacks_cannot_take_one_folder(state: StateDir) -> None:
    with state.taken(), pytest.raises(StateDirInUseError), StateDir(state.root).taken():
        pass


def test_a_secret_stays_the_same_and_is_the_owners_alone(state: StateDir) -> None:
    first = state.secret("password", lambda: "made once")
    second = state.secret("password", lambda: "made again")

    assert first == second == "made once"
    assert (state.root / "secrets" / "password").stat().st_mode & 0o077 == 0


def test_keys_stay_the_same_until_one_is_revoked(state: StateDir) -> None:
    first = stack_keys(state)
    agent = next(key for key in read_keys(state.keys_file).keys if key.name == "agent")
    revoke_key(state.keys_file, agent.id)

    second = stack_keys(state)

    assert first["publisher"] == second["publisher"]
    assert first["agent"] != second["agent"]


def test_a_key_of_a_role_that_may_do_more_today_may_do_it_too(state: StateDir) -> None:
    first, _ = add_key(state.keys_file, "agent", ["profile:read"])
    write_private(state.root / "secrets" / "agent.key", first)

    second = stack_keys(state)["agent"]

    assert second == first
    (agent,) = [key for key in read_keys(state.keys_file).keys if key.name == "agent"]
    assert set(agent.scopes) == set(ROLES["agent"])


def test_a_key_that_was_made_elsewhere_is_taken_over_once(state: StateDir) -> None:
    taken = [take_over(state.keys_file, "publisher", "made-by-deploy/make-secrets") for _ in "12"]

    assert taken == [True, False]
    assert [key.name for key in read_keys(state.keys_file).keys] == ["publisher"]

"""What a log line can say: nothing about a person, and nothing that is not one line."""

import io
import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from rapport_runtime.logs import configure_logs, scrub
from rapport_runtime.settings import LogSettings


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logs(LogSettings())
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def test_only_listed_fields_are_written(written: io.StringIO) -> None:
    structlog.get_logger("x").info("batch applied", count=3, email="ada@example.com")

    line = orjson.loads(written.getvalue())
    assert line["count"] == 3
    assert line["dropped_fields"] == ["email"]
    assert "ada@" not in written.getvalue()


def test_an_exception_tells_its_type_and_place_but_not_its_message(written: io.StringIO) -> None:
    with pytest.raises(ConnectionError) as caught:
        raise ConnectionError("postgres") from ValueError("ada@example.com")

    structlog.get_logger("x").error("worker failed", exc_info=caught.value)

    line = orjson.loads(written.getvalue())
    assert line["exc_type"] == "builtins.ConnectionError <- builtins.ValueError"
    assert line["frames"][-1].startswith("test_logs.py:")
    assert "postgres" not in written.getvalue()


def test_other_libraries_go_through_the_same_pipe(written: io.StringIO) -> None:
    logging.getLogger("somebody").warning("cannot reach %s\nfake line", "ada@example.com")

    line = orjson.loads(written.getvalue())
    assert line["event"] == r"cannot reach [address]\x0afake line"


@given(st.text(max_size=2_000))
def test_whatever_is_logged_stays_one_short_line(text: str) -> None:
    safe = scrub(text)

    assert safe.isprintable() or not any(ord(char) < 32 for char in safe)
    assert len(safe.splitlines()) <= 1
    assert len(safe) <= 501


@pytest.mark.parametrize(
    "secret",
    ["ada.lovelace+news@mail.example.co.uk", "rpt_live_abcdefgh_Zm9vYmFy-_x_000000"],
)
def test_addresses_and_keys_are_blotted_out(secret: str) -> None:
    assert secret not in scrub(f"refused <{secret}>, try again")

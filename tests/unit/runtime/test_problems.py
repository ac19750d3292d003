"""How a request fails: one shape, no secrets, and a code to look up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, ConfigDict
from rapport_runtime.http.app import LenientBodyError, UnguardedRouteError, create_app
from rapport_runtime.http.auth import Keys, Principal, requires
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.metrics import Metrics
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.support.web import SETTINGS, ask, keys_file

router = APIRouter(prefix="/v1/notes", route_class=JsonRoute)


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    about: str
    stars: int


@router.post("")
async def receive_note(note: Note, _: Annotated[Principal, requires("notes:write")]) -> Note:
    return note


@router.get("/{ref}")
async def read_note(
    ref: str, _: Annotated[Principal, requires("profile:read")], limit: int = 50
) -> dict[str, str | int]:
    if ref == "broken":
        raise RuntimeError("no row for ada@example.com")
    return {"ref": ref, "limit": limit}


@pytest.fixture
def key(tmp_path: Path) -> str:
    return keys_file(tmp_path, "notes:write", "profile:read")[0]


@pytest.fixture
def app(tmp_path: Path, key: str) -> FastAPI:  # noqa: ARG001 - the file must exist
    return create_app(
        "profile",
        SETTINGS,
        [router],
        metrics=Metrics("profile"),
        keys=Keys(tmp_path / "keys.json"),
        checks={},
    )


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    with capture_logs() as lines:
        yield lines


@pytest.mark.usefixtures("logged")
@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("GET", "/v1/nothing", None, 404, "route_not_found"),
        ("PUT", "/v1/notes", None, 405, "method_not_allowed"),
        ("POST", "/v1/notes", b"{", 400, "json_unreadable"),
        ("POST", "/v1/notes", b"[" * 100_000, 400, "json_unreadable"),
        ("POST", "/v1/notes", b"[" * 33 + b"]" * 33, 400, "json_too_deep"),
        ("POST", "/v1/notes", b'{"about": "\\u0000", "stars": 1}', 400, "nul_in_text"),
        ("POST", "/v1/notes", b'{"about": "x", "stars": NaN}', 400, "json_unreadable"),
        ("POST", "/v1/notes", b'{"about": "x", "stars": "many"}', 422, "validation_failed"),
        ("POST", "/v1/notes", b'{"about": "x", "stars": 1, "y": 2}', 422, "validation_failed"),
        ("POST", "/v1/notes", b'{"about": "\\ud800", "stars": 1}', 400, "json_unreadable"),
        ("GET", "/v1/notes/1?limit=many", None, 422, "validation_failed"),
        ("GET", "/v1/notes/1%00?limit=1%00", None, 400, "nul_in_url"),
        ("GET", "/v1/notes/broken", None, 500, "internal_error"),
    ],
)
async def test_every_failure_is_a_problem_document(
    app: FastAPI, key: str, method: str, target: str, body: bytes | None, status: int, code: str
) -> None:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    answer = await ask(app, method, target, headers=headers, body=body)

    assert answer.status == answer.json["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] == code
    assert answer.json["type"] == f"/docs/errors#{code}"
    assert answer.json["message"] == answer.json["detail"]
    assert answer.json["trace_id"] == answer.headers["x-request-id"]


async def test_a_crash_tells_the_caller_nothing_of_what_was_behind_it(
    app: FastAPI, key: str, logged: list[EventDict]
) -> None:
    answer = await ask(app, "GET", "/v1/notes/broken", headers={"authorization": f"Bearer {key}"})

    assert [line["trace_id"] for line in logged] == [answer.json["trace_id"]]
    assert b"ada@" not in answer.body
    assert b"RuntimeError" not in answer.body
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_invalid_field_is_named_but_never_quoted(app: FastAPI, key: str) -> None:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    body = b'{"about": "x", "stars": "ada@example.com"}'

    answer = await ask(app, "POST", "/v1/notes", headers=headers, body=body)

    assert [error["pointer"] for error in answer.json["errors"]] == ["/stars"]
    assert b"ada@" not in answer.body


async def test_a_path_answers_with_and_without_trailing_slash(app: FastAPI, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}

    plain = await ask(app, "GET", "/v1/notes/7", headers=headers)
    slashed = await ask(app, "GET", "/v1/notes/7/", headers=headers)

    assert plain.status == slashed.status == 200
    assert plain.body == slashed.body


async def test_a_caller_s_trace_goes_on(app: FastAPI) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}

    answer = await ask(app, "GET", "/v1/nothing", headers=headers)

    assert answer.json["trace_id"] == trace_id


@pytest.mark.parametrize(
    "traceparent",
    ["", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "ff-" + "a" * 32 + "-b7ad6b7169203331-01"],
)
async def test_a_malformed_trace_is_replaced(app: FastAPI, traceparent: str) -> None:
    answer = await ask(app, "GET", "/v1/nothing", headers={"traceparent": traceparent})

    assert answer.json["trace_id"].strip("0")
    assert answer.json["trace_id"] not in traceparent


async def test_readiness_names_what_is_missing(tmp_path: Path) -> None:
    _, keys = keys_file(tmp_path)

    async def well() -> None:
        return None

    async def away() -> str:
        return "the database does not answer"

    async def broken() -> str:
        raise ConnectionError("postgresql://user:secret@host")

    checks = {"kafka": well, "database": away, "keyring": broken}
    app = create_app("x", SETTINGS, [], metrics=Metrics("x"), keys=keys, checks=checks)

    live = await ask(app, "GET", "/livez")
    ready = await ask(app, "GET", "/readyz")

    assert live.status == 200
    assert ready.status == 503
    assert {name: check["ok"] for name, check in ready.json["checks"].items()} == {
        "kafka": True,
        "database": False,
        "keyring": False,
    }
    assert b"secret" not in ready.body


async def test_every_code_that_a_service_answers_is_explained(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/docs/errors")

    explained = {error["code"]: error for error in answer.json["errors"]}
    assert explained["key_missing"]["status"] == 401
    assert all(error["meaning"] for error in explained.values())


async def test_requests_are_counted_by_route_and_not_by_path(app: FastAPI, key: str) -> None:
    await ask(app, "GET", "/v1/notes/7", headers={"authorization": f"Bearer {key}"})

    scraped = (await ask(app, "GET", "/metrics")).body.decode()

    labels = 'method="GET",route="/v1/notes/{ref}",status="200"'
    assert f"rapport_profile_http_request_seconds_count{{{labels}}} 1.0" in scraped
    assert "/v1/notes/7" not in scraped


def test_a_route_without_a_guard_keeps_the_service_from_starting(tmp_path: Path) -> None:
    open_router = APIRouter()
    open_router.add_api_route("/v1/secrets", lambda: "secret")
    _, keys = keys_file(tmp_path)

    with pytest.raises(UnguardedRouteError, match="/v1/secrets"):
        create_app("x", SETTINGS, [open_router], metrics=Metrics("x"), keys=keys, checks={})


def test_a_body_that_is_read_leniently_keeps_the_service_from_starting(tmp_path: Path) -> None:
    lenient = APIRouter()
    lenient.add_api_route("/v1/notes", receive_note, methods=["POST"])
    _, keys = keys_file(tmp_path)

    with pytest.raises(LenientBodyError, match="/v1/notes"):
        create_app("x", SETTINGS, [lenient], metrics=Metrics("x"), keys=keys, checks={})


def test_production_has_no_page_of_api_docs(tmp_path: Path) -> None:
    _, keys = keys_file(tmp_path)
    settings = SETTINGS.model_copy(update={"env": "prod"})

    app = create_app("x", settings, [], metrics=Metrics("x"), keys=keys, checks={})

    assert app.docs_url is None

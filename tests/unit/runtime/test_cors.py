"""Which web pages may call: those whose origin the key lists."""

from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI
from rapport_runtime.http.app import create_app
from rapport_runtime.http.auth import Keys, Principal, requires
from rapport_runtime.http.keyfile import add_key
from rapport_runtime.metrics import Metrics

from tests.support.web import SETTINGS, ask

SHOP = "https://shop.example"
BLOG = "https://blog.example"

router = APIRouter()


@router.get("/events")
async def read_events(caller: Annotated[Principal, requires("events:write")]) -> str:
    return caller.name


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "keys.json"
    return {
        "shop": add_key(path, "shop", ["events:write"], origins=[SHOP])[0],
        "blog": add_key(path, "blog", ["events:write"], origins=[BLOG])[0],
        "server": add_key(path, "server", ["events:write"])[0],
    }


@pytest.fixture
def app(tmp_path: Path, keys: dict[str, str]) -> FastAPI:
    assert keys
    known = Keys(tmp_path / "keys.json")
    return create_app(
        "x", SETTINGS, [router], metrics=Metrics("x"), keys=known, checks={}, cors=True
    )


async def test_a_preflight_passes_for_an_origin_that_any_key_lists(app: FastAPI) -> None:
    headers = {"origin": BLOG, "access-control-request-method": "POST"}

    answer = await ask(app, "OPTIONS", "/events", headers=headers)

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == BLOG
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["access-control-allow-headers"] == (
        "authorization, content-type, x-write-key"
    )


async def test_a_preflight_of_a_stranger_fails(app: FastAPI) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}

    answer = await ask(app, "OPTIONS", "/events", headers=headers)

    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("owner", "origin", "status", "readable"),
    [
        ("shop", SHOP, 200, True),
        ("shop", BLOG, 403, False),
        ("shop", None, 200, False),
        ("server", SHOP, 200, False),
    ],
)
async def test_a_page_may_use_and_read_with_a_key_that_lists_it(
    app: FastAPI,
    keys: dict[str, str],
    owner: str,
    origin: str | None,
    status: int,
    readable: bool,  # noqa: FBT001
) -> None:
    headers = {"authorization": f"Bearer {keys[owner]}"}

    answer = await ask(
        app, "GET", "/events", headers=headers if origin is None else {**headers, "origin": origin}
    )

    assert answer.status == status
    assert ("access-control-allow-origin" in answer.headers) is readable


async def test_a_page_can_read_why_it_was_refused(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/events", headers={"origin": SHOP})

    assert answer.status == 401
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["vary"] == "origin"

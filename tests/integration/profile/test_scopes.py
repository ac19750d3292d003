"""Every route and every scope: each opens what it names, and nothing else."""

from typing import Any, Final
from uuid import uuid4

import pytest
from rapport_runtime.http.keyfile import SCOPES

from tests.support.privacy import a_name
from tests.support.profile_house import House
from tests.support.sealed import told

OPENED_BY: Final = {
    "GET /v1/profiles": "profile:read",
    "GET /v1/profiles/{ref}": "profile:read",
    "GET /v1/profiles/{ref}/timeline": "profile:read",
    "GET /v1/profiles/{ref}/stream": "profile:read",
    "GET /v1/profiles/{ref}/attempts": "profile:read",
    "GET /v1/profiles/{ref}/notes": "profile:read",
    "GET /v1/profiles/{ref}/tasks": "profile:read",
    "GET /v1/profiles/{ref}/commitments": "profile:read",
    "GET /v1/profiles/{ref}/diff": "profile:read",
    "GET /v1/profiles/{ref}/traits/{name}/history": "profile:read",
    "GET /v1/profiles/{ref}/links": "profile:read",
    "GET /v1/merge-suggestions": "profile:read",
    "POST /v1/profiles:preview-merge": "profile:read",
    "GET /v1/ops/streams": "ops:read",
    "GET /v1/ops/parked": "ops:read",
    "GET /v1/ops/audit": "ops:read",
    "POST /v1/ops/parked:redrive": "ops:write",
    "POST /v1/ops/parked:discard": "ops:write",
    "POST /v1/privacy/requests": "privacy:erase",
    "GET /v1/privacy/requests/{request_id}": "privacy:erase",
    "GET /v1/privacy/requests/{request_id}/certificate": "privacy:erase",
    "GET /v1/privacy/requests/{request_id}/export": "privacy:erase",
}

ANSWERED: Final = {
    "GET /v1/profiles/{ref}/stream": 400,
    "POST /v1/privacy/requests": 201,
    "GET /v1/privacy/requests/{request_id}": 404,
    "GET /v1/privacy/requests/{request_id}/certificate": 404,
    "GET /v1/privacy/requests/{request_id}/export": 404,
}
"""To whom the scope opens the route, where that is not 200."""

SOMEBODY: Final = a_name()

ASKED: Final = {
    "GET /v1/profiles": "?order=O-1",
    "GET /v1/profiles/{ref}/diff": "?from=2026-01-01T00:00:00Z",
    "GET /v1/profiles/{ref}/stream": "?last_event_id=nonsense",
}
"""Queries of the routes that need one; a stream that is opened would never end."""


BODIES: Final = {
    "POST /v1/profiles:preview-merge": {"profiles": ["order:O-1", "order:O-2"]},
    "POST /v1/privacy/requests": {"kind": "access", "identifiers": {"user_id": SOMEBODY}},
}


async def statuses(house: House, route: str, callers: list[str]) -> dict[str, int]:
    method, _, path = route.partition(" ")
    path = _filled(path) + ASKED.get(route, "")
    found = {}
    for caller in callers:
        if method == "POST":
            body = BODIES.get(route, {"ids": [999_999]})
            answer = await house.post(path, body, caller)
        else:
            answer = await house.get(path, caller)
        found[caller] = answer.status_code
    return found


def _filled(path: str) -> str:
    names = {"{ref}": "order:O-1", "{name}": "tier", "{request_id}": str(uuid4())}
    for name, value in names.items():
        path = path.replace(name, value)
    return path


async def test_a_scope_opens_its_own_routes_and_no_other(house: House) -> None:
    who = {"user_id": SOMEBODY}
    await house.tell(
        await told(house.keyring, who, "order.placed", order="O-1"),
        await told(house.keyring, who, "tier.changed", after="gold"),
        await told(house.keyring, {"user_id": a_name()}, "order.placed", order="O-2"),
    )

    for route, scope in OPENED_BY.items():
        found = await statuses(house, route, sorted(SCOPES))

        opened = ANSWERED.get(route, 200)
        assert found == {one: opened if one == scope else 403 for one in SCOPES}, route


async def test_no_key_opens_nothing(house: House) -> None:
    for route in OPENED_BY:
        method, _, path = route.partition(" ")
        answer = await house.client.request(method, _filled(path))

        assert answer.status_code == 401, route
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_matrix_names_every_route(house: House) -> None:
    document = house.app.openapi()
    routes = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }

    assert routes == OPENED_BY.keys()


CANARY: Final = "Zanzibarina"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "?as_of=2026-03-02T00:00:00Z",
        "/timeline",
        "/timeline?view=cards",
        "/attempts",
        "/notes",
        "/tasks",
        "/commitments",
        "/diff?from=2026-01-01T00:00:00Z",
        "/links",
    ],
)
async def test_personal_data_needs_its_own_scope_wherever_it_is(house: House, path: str) -> None:
    who = {"user_id": a_name(), "email": f"{CANARY}@example.com"}
    text = f"{CANARY} says"
    personal: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("customer.created", {"first_name": CANARY, "properties": {"x": CANARY}}, {}),
        ("customer.identified", {"traits": {"name": CANARY, f"{CANARY}@x.example": 1}}, {}),
        ("ticket.created", {"subject": text, "body": text}, {"ticket": "T"}),
        ("ticket.message", {"body": text}, {"ticket": "T"}),
        ("page.viewed", {"url": f"https://x.example/{CANARY}", "title": text}, {}),
        ("note.added", {"body": text, "mentions": [CANARY]}, {"note": "n", "pinned": True}),
        ("task.created", {"title": text}, {"task": "t"}),
        ("commitment.made", {"what": text}, {"commitment": "c"}),
        ("survey.responded", {"comment": text}, {"survey": "v", "kind": "nps", "score": 9}),
        ("search.performed", {"query": text, "context": {"ip": CANARY}}, {}),
    ]
    for type_, words, clear in personal:
        await house.tell(await told(house.keyring, who, type_, personal=words, **clear))
    ref = f"user_id:{who['user_id']}"

    seen = await house.get(f"/v1/profiles/{ref}{path}")
    masked = await house.get(f"/v1/profiles/{ref}{path}", "masked")

    assert CANARY in seen.text
    assert masked.status_code == 200
    assert CANARY.lower() not in masked.text.lower()
    assert masked.json()["meta"]["masked"]

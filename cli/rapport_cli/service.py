"""Talks to a service of a stack over HTTP, with the stack's ops key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from rapport_cli.failure import CliError
from rapport_cli.stackfile import read_stack, stack_entry

_SECONDS = 15.0
_PAGE = 200


class ServiceUnreachableError(CliError):
    code = "RPT-U001"
    exit_code = 4

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"Nothing answers at {url} ({reason}).",
            "Is the stack running? `rapport doctor` looks at each part of it.",
        )


class ServiceRefusedError(CliError):
    code = "RPT-U002"

    def __init__(self, url: str, status: int, detail: str) -> None:
        super().__init__(
            f"{url} answered {status}: {detail}.",
            "The answer names the reason; the service's log has more.",
        )


class Service:
    """One service, by the name that it has in `stack.json`."""

    def __init__(self, stack_file: Path, name: str) -> None:
        self.url = stack_entry(stack_file, name)
        self._key = read_stack(stack_file)["keys"]["ops"]

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Raises ServiceUnreachableError, ServiceRefusedError."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: object) -> dict[str, Any]:
        """Raises ServiceUnreachableError, ServiceRefusedError."""
        return self._ask("POST", path, json=body)

    def pages(self, path: str, rows: str, most: int) -> Iterator[dict[str, Any]]:
        """Up to `most` entries of the list `rows`, page after page."""
        cursor: dict[str, str] = {}
        while most > 0:
            page = self.get(path, limit=min(most, _PAGE), **cursor)
            yield from page[rows]
            most -= len(page[rows])
            if not page.get("next_cursor"):
                return
            cursor = {"cursor": page["next_cursor"]}

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401  # httpx2's own
        url = f"{self.url}{path}"
        headers = {"authorization": f"Bearer {self._key}"}
        try:
            with httpx2.Client(timeout=_SECONDS, trust_env=False) as client:
                answer = client.request(method, url, headers=headers, **options)
        except httpx2.TransportError as error:
            raise ServiceUnreachableError(url, type(error).__name__) from error
        if answer.is_error:
            raise ServiceRefusedError(url, answer.status_code, _reason(answer))
        document: dict[str, Any] = answer.json()
        return document


def _reason(answer: httpx2.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return answer.reason_phrase
    return str(problem.get("detail") or problem.get("title")) if isinstance(problem, dict) else ""

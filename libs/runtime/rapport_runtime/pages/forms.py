"""What a browser sends from the form of a page."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from rapport_runtime.http.body import read_body
from rapport_runtime.http.bodyguard import SMALL
from rapport_runtime.http.problems import ApiError

FORM: Final = "application/x-www-form-urlencoded"
_TOO_LARGE: Final = 413


class UnreadableFormError(Exception):
    """No browser sends this."""


class FormError(Exception):
    """Nothing arrived that could be looked at; `said` names the words of the page about it."""

    def __init__(
        self, status: int, said: str = "error_unreadable", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(said)
        self.status = status
        self.said = said
        self.headers = headers


async def read_form(request: Request, kinds: Collection[str] = (FORM,)) -> bytes:
    """The form as it was sent, of a size that a person can fill in. Raises FormError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        raise FormError(415)
    try:
        return await read_body(request, SMALL)
    except ApiError as error:
        said = "error_too_large" if error.status_code == _TOO_LARGE else "error_unreadable"
        raise FormError(error.status_code, said, error.headers) from None


def parse(body: bytes, most: int) -> Mapping[str, Sequence[str]]:
    """By field, blank ones too; personal. Raises UnreadableFormError."""
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=most
        )
    except ValueError:
        # Without the cause, which quotes what was sent.
        raise UnreadableFormError from None
    typed: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in fields:
        typed[name].append(value)
    return typed

"""Going through a long list by cursor: keyset paging, with the cursor opaque to callers."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Final
from urllib.parse import urlencode

import msgspec
import orjson
from fastapi import Query
from starlette.requests import Request

from rapport_runtime.http.problems import ApiError

MOST: Final = 200
_LONGEST_CURSOR: Final = 2048

Limit = Annotated[int, Query(ge=1, le=MOST, description="Entries on a page")]
"""For the signature of a list route: `limit: Limit = 50`."""

Cursor = Annotated[
    str | None, Query(max_length=_LONGEST_CURSOR, description="`next_cursor` of the page before")
]
"""For the signature of a list route: `cursor: Cursor = None`."""

Position = Sequence[str | int]
"""The sort key of the last entry of a page."""


class CursorMalformedError(ApiError):
    """The cursor was not answered by this route, or for another query."""

    def __init__(self) -> None:
        super().__init__("the cursor does not belong to this query; start again without a cursor")


class _Encoded(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    query: str
    position: list[str | int]


def encode_cursor(position: Position, query: str = "") -> str:
    """The text for `next_cursor`. `query` is what the list was asked for (route and filters):
    a cursor of another query would silently skip entries."""
    packed = orjson.dumps([_digest(query), list(position)])
    return urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode_cursor(cursor: str, query: str = "", *, length: int) -> list[str | int]:
    """The position of `length` values after which the page begins.

    Raises CursorMalformedError (400).
    """
    if len(cursor) > _LONGEST_CURSOR or not cursor.isascii():
        raise CursorMalformedError
    try:
        found = msgspec.json.decode(
            urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=_Encoded
        )
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise CursorMalformedError from None
    if found.query != _digest(query) or len(found.position) != length:
        raise CursorMalformedError
    return found.position


def next_link(request: Request, cursor: str) -> Mapping[str, str]:
    """The `Link` header to the next page (RFC 8288), a reference relative to the host."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    query = urlencode([*kept, ("cursor", cursor)])
    return {"link": f'<{request.url.path}?{query}>; rel="next"'}


def _digest(query: str) -> str:
    return blake2b(query.encode(), digest_size=6).hexdigest()

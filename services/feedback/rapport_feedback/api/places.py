"""Places in lists that go by time and id, as cursors."""

from datetime import datetime

from rapport_runtime.http.paging import CursorMalformedError, decode_cursor, encode_cursor

Place = tuple[datetime, str]


def write_place(place: Place, query: str) -> str:
    at, name = place
    return encode_cursor((at.isoformat(), name), query)


def read_place(cursor: str, query: str) -> Place:
    """Raises CursorMalformedError: it belongs to another query, or is none of ours."""
    at, name = decode_cursor(cursor, query, length=2)
    try:
        found = datetime.fromisoformat(str(at))
    except ValueError:
        raise CursorMalformedError from None
    if found.tzinfo is None:
        raise CursorMalformedError
    return found, str(name)

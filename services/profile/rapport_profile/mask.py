"""What of a person the caller may see."""

from typing import Final

from rapport_privacy.crypto import Erased

from rapport_profile.reader import Opened, Unreadable
from rapport_profile.schemas.base import ErasedView, Text, UnreadableView


class Mask:
    """Every personal value of an answer goes through here, and what is held back is named.

    Names are places in the answer: `traits.email`, `identities[].value`.
    """

    def __init__(self, *, sees_personal: bool) -> None:
        self.sees_personal: Final = sees_personal
        self.masked: set[str] = set()
        self.erased: set[str] = set()
        self.partial: set[str] = set()

    def value(self, place: str, value: object) -> object:
        """A personal value of any JSON type, as the caller may see it."""
        if value is None:
            return None
        if isinstance(value, Erased):
            self.erased.add(place)
            return ErasedView(erased=True)
        if isinstance(value, Unreadable):
            return UnreadableView(unreadable=True)
        if not self.sees_personal:
            self.masked.add(place)
            return None
        return value

    def text(self, place: str, value: object) -> Text:
        """A personal text, as the caller may see it."""
        seen = self.value(place, value)
        return seen if isinstance(seen, ErasedView | UnreadableView | None) else str(seen)

    def fields(self, place: str, opened: Opened) -> dict[str, object]:
        """All data of an event: its clear fields, and of the personal ones what may be seen."""
        data = dict(opened.clear)
        for name in opened.personal_names:
            seen = self.value(f"{place}.{name}", opened.personal_value(name))
            if name == "context":
                clear = data.get(name)
                data[name] = _joined(clear, seen)
            else:
                data[name] = seen
        return data


def _joined(clear: object, personal: object) -> object:
    """Of an event's context, the clock and library are clear, and the rest is personal."""
    if isinstance(clear, dict):
        return {**clear, **personal} if isinstance(personal, dict) else clear
    return personal

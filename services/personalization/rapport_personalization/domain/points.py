"""Loyalty points: what was earned first is spent first, and what is left of it lapses."""

from msgspec import Struct

from rapport_personalization.domain.moment import Mark


class Lot(Struct, array_like=True):
    """Points earned together."""

    earned: Mark
    left: int


def earn(lots: list[Lot], mark: Mark, points: int) -> None:
    lots.append(Lot(mark, points))


def spend(lots: list[Lot], points: int) -> None:
    """Oldest first; more than there are cannot be spent. Of what is used up nothing is kept."""
    for lot in lots:
        used = min(lot.left, points)
        lot.left -= used
        points -= used
    lots[:] = [lot for lot in lots if lot.left]


def balance(lots: list[Lot]) -> int:
    return sum(lot.left for lot in lots)


def left_of(lots: list[Lot], key: bytes) -> int:
    """What is left of the points that an event brought."""
    return next((lot.left for lot in lots if lot.earned.key == key), 0)

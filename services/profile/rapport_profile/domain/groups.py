"""Union-find over subjects, which counts the identifiers of each kind in every group."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping


class Groups:
    """Each subject alone at first; then joined, pair by pair."""

    def __init__(
        self, subjects: Iterable[str], kinds: Mapping[str, str], most: Callable[[str], int]
    ) -> None:
        """`kinds`: of the subjects whose kind is known. `most`: how many of a kind a group may
        have."""
        self._most = most
        self._parents = {subject: subject for subject in subjects}
        self._sizes = dict.fromkeys(self._parents, 1)
        self._counts: dict[str, dict[str, int]] = {subject: {} for subject in self._parents}
        for subject, kind in kinds.items():
            self._counts[subject][kind] = 1

    def objection(self, one: str, other: str) -> str | None:
        """Why the groups of two subjects must not become one.

        A kind that only one of them has does not count: whom somebody merged beyond a limit may
        still get identifiers of other kinds.
        """
        one, other = self._find(one), self._find(other)
        if one == other:
            return None
        counts = self._counts[other]
        for kind, count in sorted(self._counts[one].items()):
            total, most = count + counts.get(kind, 0), self._most(kind)
            if kind in counts and total > most:
                return f"{kind}: {total} > {most}"
        return None

    def join(self, one: str, other: str) -> None:
        one, other = self._find(one), self._find(other)
        if one == other:
            return
        if self._sizes[one] < self._sizes[other]:
            one, other = other, one
        self._parents[other] = one
        self._sizes[one] += self._sizes[other]
        counts = self._counts[one]
        for kind, count in self._counts[other].items():
            counts[kind] = counts.get(kind, 0) + count

    def persons(self) -> list[tuple[str, ...]]:
        """Members of each group, sorted, and the groups by their smallest member."""
        members: dict[str, list[str]] = defaultdict(list)
        for subject in sorted(self._parents):
            members[self._find(subject)].append(subject)
        return sorted(map(tuple, members.values()))

    def _find(self, subject: str) -> str:
        parents = self._parents
        while (parent := parents[subject]) != subject:
            parents[subject] = subject = parents[parent]
        return subject

"""Which event of a batch changed an entity or a person: what a restatement is put down to."""

from collections.abc import Iterable, Mapping, Sequence

from rapport_events import wire

from rapport_metrics.domain.entities import Merge, Ref
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.ownership import owner_name
from rapport_metrics.domain.working import Working

Whose = Ref | tuple[str, ...]
"""What has a fact: an entity, or a person by their subjects."""


class Causes:
    """The last event of a batch about each thing that it names.

    `owners`: whose each entity was before the batch; whose it is now, the working set knows.
    """

    def __init__(self, working: Working, owners: Mapping[Ref, str | None]) -> None:
        self._working = working
        self._owners = owners
        self._entities: dict[Ref, bytes] = {}
        self._subjects: dict[str, bytes] = {}
        for happening, ref in working.telling:
            key = happening.by.key
            if ref is not None:
                self._entities[ref] = key
            for subject in self._about(happening, ref):
                self._subjects[subject] = key

    def of(self, whose: Whose) -> bytes | None:
        """None when it changed only because of something else."""
        return self._of_entity(whose) if isinstance(whose, Ref) else self._of_person(whose)

    def _of_entity(self, ref: Ref) -> bytes | None:
        cause = self._entities.get(ref)
        return self._of_person(self._owners_of(ref)) if cause is None else cause

    def _of_person(self, members: Iterable[str]) -> bytes | None:
        found = (self._subjects.get(name) for name in members)
        return next((cause for cause in found if cause is not None), None)

    def _about(self, happening: Happening, ref: Ref | None) -> Iterable[str]:
        """The subjects whose person an event may change."""
        data = happening.data
        named = [happening.by.subject]
        if ref is not None:
            named += self._owners_of(ref)
        if isinstance(data, wire.CustomerMerged):
            named.append(data.from_subject)
        if isinstance(data, wire.CustomerUnmerged):
            merge: Merge = self._working.merge(data.merge_event_id)
            named += [merge.a, merge.b]
        return [name for name in named if name is not None]

    def _owners_of(self, ref: Ref) -> Sequence[str]:
        """Whose it is, and whose it was."""
        both = (owner_name(self._working.states[ref]), self._owners.get(ref))
        return [name for name in both if name is not None]

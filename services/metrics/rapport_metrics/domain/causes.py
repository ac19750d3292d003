"""Which event of a batch changed an entity or a person: what a restatement is put down to."""

from collections.abc import Iterable, Sequence

from rapport_events import wire

from rapport_metrics.domain.entities import Merge, Ref
from rapport_metrics.domain.happening import Happening, entity
from rapport_metrics.domain.ownership import owner_name
from rapport_metrics.domain.working import Working


class Causes:
    """The last event of a batch about each thing that it names."""

    def __init__(self, working: Working, happenings: Sequence[Happening]) -> None:
        self._working = working
        self._entities: dict[Ref, bytes] = {}
        self._subjects: dict[str, bytes] = {}
        for happening in happenings:
            ref, key = entity(happening), happening.by.key
            if ref is not None:
                self._entities[ref] = key
            for subject in self._about(happening, ref):
                self._subjects[subject] = key

    def of_entity(self, ref: Ref) -> bytes | None:
        """None when it changed only because of something else."""
        cause = self._entities.get(ref)
        if cause is not None:
            return cause
        owner = owner_name(self._working.states[ref])
        return None if owner is None else self._subjects.get(owner)

    def of_person(self, members: Iterable[str]) -> bytes | None:
        found = (self._subjects.get(name) for name in members)
        return next((cause for cause in found if cause is not None), None)

    def _about(self, happening: Happening, ref: Ref | None) -> Iterable[str]:
        """The subjects whose person an event may change."""
        data = happening.data
        named = [happening.by.subject]
        if ref is not None:
            named.append(owner_name(self._working.states[ref]))
        if isinstance(data, wire.CustomerMerged):
            named.append(data.from_subject)
        if isinstance(data, wire.CustomerUnmerged):
            merge: Merge = self._working.merge(data.merge_event_id)
            named += [merge.a, merge.b]
        return [name for name in named if name is not None]

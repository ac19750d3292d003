"""Which types of event a caller may send."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from rapport_events.catalogue import DOMAINS, is_custom
from rapport_events.identity import CustomerMerged, CustomerUnmerged
from rapport_events.topics import INTERACTIONS
from rapport_events.work import ProfileViewed

_PUBLISHED: Final = frozenset(event.type for event in INTERACTIONS.carries)

_AGENT_WORK: Final = frozenset(
    event.type
    for events in (DOMAINS["work"], (CustomerMerged, CustomerUnmerged))
    for event in events
    if event is not ProfileViewed
)


@dataclass(frozen=True, slots=True)
class Permission:
    """The types that one key may send."""

    types: frozenset[str]
    custom: bool
    code: str
    refusal: str
    about_somebody: bool = False
    """Whether what it sends must name a customer."""

    def needs(self, type_: str) -> bool:
        """Whether an event of this type without a customer would be lost."""
        return self.about_somebody and type_ != CustomerUnmerged.type

    def refusal_of(self, type_: str) -> tuple[str, str] | None:
        """Code and sentence against this type; None: it may be sent, or nobody knows it."""
        if type_ in self.types or (self.custom and is_custom(type_)):
            return None
        return self.code, self.refusal


PUBLISHER: Final = Permission(
    _PUBLISHED,
    custom=True,
    code="forbidden_type",
    refusal="only Rapport itself says that this happened; publishers send facts of their own",
)
AGENT: Final = Permission(
    _AGENT_WORK,
    custom=False,
    code="forbidden_type",
    refusal="a key with notes:write alone may send notes, tasks, commitments, corrections of "
    "issues, and merges",
    about_somebody=True,
)


def permission_of(scopes: Collection[str]) -> Permission | None:
    """What a key with these scopes may send; None: nothing."""
    if "events:write" in scopes:
        return PUBLISHER
    return AGENT if "notes:write" in scopes else None

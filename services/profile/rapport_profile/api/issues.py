"""From a person to their issues."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from rapport_profile.api.visit import Moment, Visit
from rapport_profile.contacts import MOST_CONTACT_EVENTS, load_contact_events
from rapport_profile.domain.attempts.issue import Issue, issues, may_be_open
from rapport_profile.history import fact_of
from rapport_profile.queries import Person
from rapport_profile.reader import Stored
from rapport_profile.views.issues import ISSUES_SHOWN, worded


class Found(NamedTuple):
    """Issues, and the events that they are made of, by key in hex."""

    issues: Sequence[Issue]
    events: Mapping[str, Stored]
    is_cut: bool = False
    """There are more, or there may be."""

    def worded(self, shown: Collection[Issue]) -> list[Stored]:
        """The events that hold words of the issues."""
        return [self.events[key] for key in worded(shown) if key in self.events]


NOTHING = Found((), {})


async def find_issues(visit: Visit, moment: Moment, person: Person) -> Found:
    """All issues of the person at the moment, the newest first."""
    reached = {(one.topic, one.partition): one.next_offset for one in moment.progress}
    rows = await load_contact_events(visit.library.pool, person.members, moment.when, reached)
    found = issues(map(fact_of, rows), person.profile.orders, moment.instant)
    events = {row.key.hex(): row for row in rows}
    return Found(found, events, is_cut=len(rows) == MOST_CONTACT_EVENTS)


async def find_open_issues(visit: Visit, moment: Moment, person: Person) -> Found:
    """The open ones, as many as the 360° view shows. Who can have none costs no statement."""
    if not may_be_open(person.profile, moment.instant):
        return NOTHING
    found = await find_issues(visit, moment, person)
    open_ = [issue for issue in found.issues if issue.is_open]
    is_cut = found.is_cut or len(open_) > ISSUES_SHOWN
    return found._replace(issues=open_[:ISSUES_SHOWN], is_cut=is_cut)

"""What the profile's projection consists of, for those who build it again and compare it."""

from collections.abc import Collection, Sequence
from typing import Final

from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_runtime.rebuild import Beside, Part, Projection
from rapport_runtime.settings import Settings
from sqlalchemy import Executable, func, update

from rapport_profile import audit, tables
from rapport_profile.consumer import subscription

_POINTING: Final = ("customer.merged.v1", "customer.aliased.v1")


def subjects(record: Record) -> Collection[str]:
    """The event's own subject and all whom it names beside it."""
    envelope = record.envelope
    named = envelope.linked.split(",") if envelope.linked else []
    if envelope.subject is not None:
        named.append(envelope.subject)
    if envelope.type in _POINTING:
        data = decode_data(envelope)
        if isinstance(data, wire.CustomerMerged) and data.from_subject is not None:
            named.append(data.from_subject)
        if isinstance(data, wire.CustomerAliased) and data.previous_subject is not None:
            named.append(data.previous_subject)
    return named


def carry_over(beside: Beside) -> Sequence[Executable]:
    """What was told to others, and when: the log alone does not say."""
    # Under other names: two tables that differ in their schema alone would be ambiguous.
    facet, purge, edge = (
        table.alias("live") for table in (tables.facet, tables.purge, tables.identity_edge)
    )
    new_facet, new_purge = beside(tables.facet), beside(tables.purge)
    new_edge = beside(tables.identity_edge)
    announced = {
        "stage": facet.c.stage,
        "announced_at": facet.c.announced_at,
        # The sweep looks at the earlier of the two, and sets it right.
        "stage_until": func.least(facet.c.stage_until, new_facet.c.stage_until),
    }
    return [
        update(new_facet).where(new_facet.c.subject_id == facet.c.subject_id).values(announced),
        update(new_purge)
        .where(new_purge.c.subject_id == purge.c.subject_id)
        .values(counts=purge.c.counts),
        update(new_edge)
        .where(new_edge.c.merge_key == edge.c.merge_key)
        .values(announced=edge.c.announced),
    ]


_PROFILE: Final = tables.profile.c
_TIMELINE: Final = tables.timeline.c
_REFERENCE: Final = tables.reference.c
_EDGE: Final = tables.identity_edge.c
_PURGE: Final = tables.purge.c
_FACET: Final = tables.facet.c

_PARTS: Final = (
    Part(name="state", key=_PROFILE.subject_id, columns=(_PROFILE.state,)),
    Part(
        name="members",
        key=_PROFILE.subject_id,
        columns=(_PROFILE.merged_into, _PROFILE.members, _PROFILE.erased_at),
    ),
    Part(name="timeline", key=_TIMELINE.subject_id, columns=tuple(_TIMELINE)),
    Part(name="reference", key=_REFERENCE.subject_id, columns=tuple(_REFERENCE)),
    Part(
        name="edge",
        key=_EDGE.a,
        columns=tuple(column for column in _EDGE if column.name != "announced"),
    ),
    Part(name="purge", key=_PURGE.subject_id, columns=(_PURGE.certificate_id, _PURGE.at)),
    Part(name="facet", key=_FACET.subject_id, columns=(_FACET.segment, _FACET.consents)),
)


def projection(settings: Settings) -> Projection:
    """The profile's projection as this deployment folds it."""
    return Projection(
        name="profile",
        subscription=subscription(settings),
        metadata=audit.audit.metadata,
        tables=(
            tables.profile,
            tables.timeline,
            tables.reference,
            tables.identity_edge,
            tables.purge,
            tables.facet,
        ),
        parts=_PARTS,
        subjects=subjects,
        carry_over=carry_over,
    )

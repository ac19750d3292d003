"""Facts again, from the entities themselves: what is behind a number, and what it was earlier."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rapport_runtime.pool import Snapshot

from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.entities import LinkedTicket, Ref, State, Subject, unpack
from rapport_metrics.domain.facts import Fact
from rapport_metrics.domain.own import Options, entity_facts, person_facts
from rapport_metrics.domain.past import cut
from rapport_metrics.domain.working import Working

_CHUNK: Final = 500

KINDS: Final[dict[str, str]] = {
    "contacts": "ticket call",
    **dict.fromkeys(("fcr", "fcr_net"), "ticket call subject"),
    "self_service": "subject",
    **dict.fromkeys(("aov", "revenue_gross", "refunds"), "order"),
    **dict.fromkeys(("loop_time", "loop_informed", "loop_in_time"), "loop"),
    **dict.fromkeys(
        ("abandonment", "service_level", "asa", "aht", "aht_leg", "transfer_rate", "outbound_aht"),
        "call",
    ),
    **dict.fromkeys(
        ("frt", "ttr_first", "ttr_full", "reopen_rate", "one_touch", "backlog", "sla_frt"),
        "ticket",
    ),
    **dict.fromkeys(("sla_res", "sla_next", "sentiment", "negative_share"), "ticket"),
}
"""Metric to the kinds of entities that have facts of it; surveys have the rest."""

_LIVED: Final = """
SELECT kind, id FROM entity
WHERE kind = ANY($1::text[]) AND last_at >= $2 AND first_at < $3 AND (kind, id) > ($4, $5)
ORDER BY kind, id LIMIT $6
"""

_LOAD: Final = """
SELECT kind, id, state FROM entity
WHERE (kind, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""


Keep = Callable[[State], State]


class Between(NamedTuple):
    """Entities that lived in [start, end), in microseconds; `after`: where a page left off."""

    start: int
    end: int
    after: Ref = Ref("", "")


class Found(NamedTuple):
    """Whose fact it is. Of a person: one of their subjects."""

    ref: Ref
    fact: Fact


def kinds_of(metrics: Iterable[str]) -> list[str]:
    """The kinds of entities behind some metrics."""
    return sorted({kind for metric in metrics for kind in KINDS.get(metric, "survey").split()})


async def load_refs(
    snap: Snapshot, kinds: Collection[str], between: Between, limit: int = _CHUNK
) -> list[Ref]:
    """Entities that have anything to say about the span, in the order of their names."""
    after = between.after
    rows = await snap.fetch(
        _LIVED, list(kinds), between.start, between.end, after.kind, after.id, limit
    )
    return [Ref(*row) for row in rows]


async def load_working(snap: Snapshot, refs: Sequence[Ref]) -> Working:
    """The entities, and all that their facts depend on."""
    working = Working((), purge_erased=False)
    for ref in refs:
        if ref.kind == "subject":
            working.link(ref.id)
        else:
            working.touch(ref)
    while missing := working.missing():
        rows = await snap.fetch(_LOAD, [ref.kind for ref in missing], [ref.id for ref in missing])
        found = {Ref(kind, id_): unpack(kind, state) for kind, id_, state in rows}
        working.supply(missing, found)
    return working


def facts_of(
    working: Working, refs: Sequence[Ref], options: Options, before: int | None = None
) -> Iterator[Found]:
    """The facts of the entities; with `before`, as what had happened until then tells them."""

    def keep(state: State) -> State:
        return state if before is None else cut(state, before)

    for ref in refs:
        if ref.kind != "subject":
            yield from _facts_of_entity(working, ref, keep, options)
    wanted = {ref.id for ref in refs if ref.kind == "subject"}
    for members in working.persons():
        if not wanted.isdisjoint(members):
            subjects = {name: keep(working.subject(name)) for name in members}
            kept = {
                name: one
                for name, one in subjects.items()
                if isinstance(one, Subject) and not (options.purge_erased and one.erased)
            }
            yield from _facts_of_person(kept, wanted, options)


def _facts_of_entity(working: Working, ref: Ref, keep: Keep, options: Options) -> Iterator[Found]:
    owner = working.owner(ref)
    if options.purge_erased and owner is not None and owner.erased is not None:
        return
    state, about = keep(working.states[ref]), None
    if isinstance(state, Call) and (ticket := working.ticket_of(state)) is not None:
        kept = keep(ticket)
        about = kept if isinstance(kept, LinkedTicket) else None
    for fact in entity_facts(ref, state, about, options):
        yield Found(ref, fact)


def _facts_of_person(
    members: Mapping[str, Subject], wanted: Collection[str], options: Options
) -> Iterator[Found]:
    """Each fact once, although a person's subjects may be asked about one after the other."""
    owners = _owners(members)
    for fact in person_facts(members.values(), options):
        owner = owners[fact.cause]
        if owner in wanted:
            yield Found(Ref("subject", owner), fact)


def _owners(members: Mapping[str, Subject]) -> dict[bytes, str]:
    """Which of a person's subjects brought each contact and each session in, by event key."""
    owners = {}
    for name, subject in members.items():
        causes = [*(one.cause for one in subject.contacts.values())]
        causes += [told.key for told in subject.sessions.values()]
        owners.update(dict.fromkeys(causes, name))
    return owners

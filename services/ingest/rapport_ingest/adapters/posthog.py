"""Events of PostHog's clients: one kind of event, whose names and `$` properties say the rest.

Source: PostHog's capture API, and what posthog-python and posthog-node were seen to send.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from rapport_events.identity import CustomerAliased
from rapport_events.web import PageViewed, ScreenViewed

from rapport_ingest.adapters.calls import (
    Said,
    contacts,
    either_kind,
    grouped,
    identified,
    named,
    viewed,
)
from rapport_ingest.adapters.reader import event_id, read_each, refused
from rapport_ingest.adapters.track import Meaning, custom
from rapport_ingest.adapters.values import id_text, members, ref, text
from rapport_ingest.canonical import Repeated, UnreadableBodyError
from rapport_ingest.clock import Reading, read_clock
from rapport_ingest.draft import Arrival, Draft, RefusedError, Rejection

LIBRARY_CHANNELS: Final = {
    "web": "web",
    "posthog-ios": "app",
    "posthog-android": "app",
    "posthog-flutter": "app",
    "posthog-react-native": "app",
}
"""`$lib` of clients that run in one place only."""

_SILENT: Final = ("$lib", "$lib_version", "$insert_id", "$geoip_disable", "$is_server")
"""Properties that say nothing of the customer, or are read by themselves."""


def read(body: object, arrival: Arrival) -> list[Draft | Rejection]:
    """The events of `/batch/`, `/capture/`, `/e/` or `/i/v1/analytics/events`.

    Raises `UnreadableBodyError` when the batch itself is ambiguous.
    """
    events, sent, is_history = body, None, arrival.historical
    if isinstance(body, dict) and "batch" in body:
        if isinstance(body, Repeated):
            raise UnreadableBodyError("a key stands twice beside the batch")
        events = body["batch"]
        sent = body.get("sent_at", body.get("created_at"))
        is_history = is_history or body.get("historical_migration") is True
    elif isinstance(body, dict):
        events = [body]
    if not isinstance(events, list):
        return refused(0, 'the body is an event, a list of them, or an object with a "batch"')
    read_one = partial(_draft, arrival=arrival, sent=sent, is_history=is_history)
    return read_each(events, "uuid", read_one)


def _draft(
    index: int, event: dict[str, Any], *, arrival: Arrival, sent: object, is_history: bool
) -> Draft:
    name = event.get("event")
    if not isinstance(name, str) or not name.strip():
        raise RefusedError("missing_field", "an event has a name", "/event")
    rest, context = _sorted(event)
    distinct = id_text(event.get("distinct_id", rest.pop("distinct_id", None)))
    silent = {silent: context.pop(silent, None) for silent in _SILENT}
    identifiers = _ids(distinct, context)
    said = _said(name, distinct, rest, context)
    reading = _reading(event, sent, arrival)
    return Draft(
        index=index,
        id=event_id(event.get("uuid") or silent["$insert_id"], event, arrival, index),
        source=arrival.source,
        type=said.meaning.type,
        time=reading.said,
        occurred=reading.occurred,
        clock=reading.clock,
        identifiers=contacts(context.get("traits")) | identifiers | said.identifiers,
        other=said.other,
        channel=_channel(silent["$lib"]) or said.meaning.channel,
        historical=is_history,
        library=_library(silent["$lib"], silent["$lib_version"]),
        data=said.meaning.data,
        context=context,
        notes=said.meaning.notes,
        raw=event,
    )


def _sorted(event: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The publisher's own properties, and the client's, which all begin with a dollar.

    What an event sets on its person comes as `traits`, as Segment's context has them.
    """
    rest: dict[str, Any] = {}
    context: dict[str, Any] = {}
    for name, value in members(event.get("properties")).items():
        (context if name.startswith("$") else rest)[name] = value
    rest.pop("token", None)
    traits: dict[str, Any] = {}
    for name in ("$set_once", "$set"):
        traits |= members(context.pop(name, None)) | members(event.get(name))
    if traits:
        context["traits"] = traits
    return rest, context


def _ids(distinct: str | None, context: Mapping[str, Any]) -> dict[str, str]:
    """PostHog has one kind of id; whether it is anonymous shows in what the client says of it."""
    if distinct is None:
        raise RefusedError("no_identity", "the event has no distinct_id", "/distinct_id")
    if distinct == f"${context.get('$group_type')}_{context.get('$group_key')}":
        return {}  # what the clients send when a group is described outside of any visit
    is_anonymous = (
        context.get("$is_identified") is False
        or context.get("$process_person_profile") is False
        or context.get("$device_id") == distinct
    )
    return {"anonymous_id" if is_anonymous else "user_id": distinct}


def _reading(event: Mapping[str, Any], sent: object, arrival: Arrival) -> Reading:
    reading = read_clock(event.get("timestamp"), event.get("sent_at", sent), arrival.received)
    offset = event.get("offset")
    if reading.said is None and isinstance(offset, int) and 0 < offset < 86_400_000:
        return reading._replace(occurred=reading.occurred - timedelta(milliseconds=offset))
    return reading


def _channel(lib: object) -> str | None:
    return LIBRARY_CHANNELS.get(lib) if isinstance(lib, str) else None


def _library(lib: object, version: object) -> str | None:
    return f"{lib}/{version}"[:128] if isinstance(lib, str) and lib else None


def _said(name: str, distinct: str | None, rest: dict[str, Any], context: dict[str, Any]) -> Said:
    saying = _SAYINGS.get(name)
    if saying is not None:
        return saying(distinct, rest, context)
    if name.startswith("$"):
        return Said(custom(name, rest), {}, {})
    return named(name.strip(), rest)


def _identify(_: str | None, rest: dict[str, Any], context: dict[str, Any]) -> Said:
    traits = members(context.pop("traits", None))
    anonymous = id_text(context.pop("$anon_distinct_id", None))
    identifiers = {} if anonymous is None else {"anonymous_id": anonymous}
    return Said(identified(traits, rest), contacts(traits) | identifiers, {})


def _alias(distinct: str | None, rest: dict[str, Any], _: dict[str, Any]) -> Said:
    """A symmetric link: posthog-python and posthog-node put the old id into different members."""
    current, alias = ref(distinct), ref(rest.pop("alias", None))
    if current is None or alias is None:
        raise RefusedError("missing_field", "an alias has a distinct_id and an alias")
    data: dict[str, Any] = {"previous_id": alias, "user_id": current}
    if rest:
        data["properties"] = rest
    return Said(Meaning(CustomerAliased.type, data), either_kind(current), either_kind(alias))


def _group(_: str | None, rest: dict[str, Any], context: dict[str, Any]) -> Said:
    account = ref(context.pop("$group_key", None))
    traits = members(context.pop("$group_set", None))
    kind = context.pop("$group_type", None)
    rest = rest if kind is None else {**rest, "group_type": kind}
    if account is None:
        return Said(custom("$groupidentify", rest | {"traits": traits}), {}, {})
    return Said(grouped(account, traits, rest), {}, {})


def _page(_: str | None, rest: dict[str, Any], context: dict[str, Any]) -> Said:
    data: dict[str, Any] = {
        "url": text(context.pop("$current_url", None)),
        "referrer": text(context.get("$referrer")),
        "title": text(context.get("$title")),
        "utm": {name[4:]: rest.pop(name) for name in list(rest) if name.startswith("utm_")},
    }
    return Said(viewed(PageViewed.type, data, _in_session(rest, context), context), {}, {})


def _screen(_: str | None, rest: dict[str, Any], context: dict[str, Any]) -> Said:
    data = {"screen": ref(context.get("$screen_name"))}
    return Said(viewed(ScreenViewed.type, data, _in_session(rest, context), context), {}, {})


def _in_session(rest: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    session = context.get("$session_id")
    return rest if session is None else {**rest, "session_id": session}


_Saying = Callable[[str | None, dict[str, Any], dict[str, Any]], Said]
_SAYINGS: Final[Mapping[str, _Saying]] = MappingProxyType(
    {
        "$identify": _identify,
        "$set": _identify,
        "$set_once": _identify,
        "$create_alias": _alias,
        "$merge_dangerously": _alias,
        "$groupidentify": _group,
        "$pageview": _page,
        "$screen": _screen,
    }
)

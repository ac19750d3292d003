"""The six calls of the Segment spec, each as what it says of a customer."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from rapport_events.identity import (
    CustomerAliased,
    CustomerCreated,
    CustomerGrouped,
    CustomerIdentified,
)
from rapport_events.web import PageViewed, ScreenViewed

from rapport_ingest.adapters.track import Meaning, custom, understand
from rapport_ingest.adapters.values import id_text, members, ref, text
from rapport_ingest.draft import RefusedError


class Said(NamedTuple):
    """A call in our words, and whom it names beside the ids that every call may carry."""

    meaning: Meaning
    identifiers: dict[str, str]
    other: dict[str, str]


ENVELOPE: Final = frozenset(
    {
        *("type", "userId", "anonymousId", "messageId", "channel", "context", "integrations"),
        *("timestamp", "originalTimestamp", "sentAt", "receivedAt"),
        *("_metadata", "writeKey", "version", "request_ip", "rudderId"),
    }
)
"""Members that say nothing of what happened."""


def identify(event: Mapping[str, Any], context: dict[str, Any]) -> Said:
    """RudderStack's clients put the traits into the context, some put them into both places."""
    traits = members(context.pop("traits", None)) | members(event.get("traits"))
    return Said(identified(traits, _left(event, {"traits"})), contacts(traits), {})


def track(event: Mapping[str, Any], _: dict[str, Any]) -> Said:
    name = event.get("event")
    if not isinstance(name, str) or not name.strip():
        raise RefusedError("missing_field", "a track event has a name", "/event")
    properties = _left(event, {"event", "properties"}) | members(event.get("properties"))
    return named(name.strip(), properties)


def page(event: Mapping[str, Any], context: dict[str, Any]) -> Said:
    rest = _left(event, {"name", "properties"}) | members(event.get("properties"))
    seen = members(context.get("page"))
    name = _moved(rest, "name", ref) or ref(event.get("name"))
    data: dict[str, Any] = {"page": ref(event.get("name")) or name}
    for member in ("url", "referrer", "title"):
        data[member] = _moved(rest, member, text) or text(seen.get(member))
    data["utm"] = members(context.get("campaign")) or None
    return Said(viewed(PageViewed.type, data, rest, context), {}, {})


def screen(event: Mapping[str, Any], context: dict[str, Any]) -> Said:
    rest = _left(event, {"name", "properties"}) | members(event.get("properties"))
    name = _moved(rest, "name", ref)
    data = {"screen": ref(event.get("name")) or name}
    return Said(viewed(ScreenViewed.type, data, rest, context), {}, {})


def group(event: Mapping[str, Any], _: dict[str, Any]) -> Said:
    account = ref(event.get("groupId"))
    rest = _left(event, {"groupId", "traits"})
    traits = members(event.get("traits"))
    if account is None:
        why = f"kept as custom: {CustomerGrouped.type} needs account_id"
        return Said(custom("group", rest | {"traits": traits}, (why,)), {}, {})
    return Said(grouped(account, traits, rest), {}, {})


def alias(event: Mapping[str, Any], _: dict[str, Any]) -> Said:
    """What was known under `previousId`, be it a user id or an anonymous one, is `userId`'s."""
    previous, user = ref(event.get("previousId")), ref(event.get("userId"))
    if previous is None or user is None:
        raise RefusedError("missing_field", "an alias has a previousId and a userId")
    data: dict[str, Any] = {"previous_id": previous, "user_id": user}
    if rest := _left(event, {"previousId"}):
        data["properties"] = rest
    return Said(Meaning(CustomerAliased.type, data), {}, either_kind(previous))


CALLS: Final[Mapping[str, Callable[[Mapping[str, Any], dict[str, Any]], Said]]] = MappingProxyType(
    {
        "identify": identify,
        "track": track,
        "page": page,
        "screen": screen,
        "group": group,
        "alias": alias,
    }
)


def named(name: str, properties: Mapping[str, Any]) -> Said:
    """A track event; one that brings a new customer names that customer in its fields."""
    meaning = understand(name, properties)
    is_new = meaning.type == CustomerCreated.type
    return Said(meaning, contacts(meaning.data) if is_new else {}, {})


def identified(traits: Mapping[str, Any], rest: Mapping[str, Any]) -> Meaning:
    data = {"traits": dict(traits), "properties": dict(rest)}
    return Meaning(CustomerIdentified.type, _present(data))


def grouped(account: str, traits: Mapping[str, Any], rest: Mapping[str, Any]) -> Meaning:
    data = {"account_id": account, "traits": dict(traits), "properties": dict(rest)}
    return Meaning(CustomerGrouped.type, _present(data))


def either_kind(value: str) -> dict[str, str]:
    """An id of which nobody says whether it was an anonymous one."""
    return {"user_id": value, "anonymous_id": value}


def contacts(traits: object) -> dict[str, str]:
    """The addresses among somebody's traits: they name them as much as an id does."""
    if not traits or not isinstance(traits, dict):
        return {}
    found = {kind: id_text(traits.get(kind)) for kind in ("email", "phone")}
    return {kind: value for kind, value in found.items() if value is not None}


def external_ids(context: Mapping[str, Any]) -> dict[str, str]:
    """Segment's `context.externalIds`: `[{"id": "7", "type": "crm_id", "collection": "users"}]`."""
    listed = context.get("externalIds")
    found: dict[str, str] = {}
    for entry in listed if isinstance(listed, list) else ():
        each = members(entry)
        kind, value = each.get("type"), id_text(each.get("id"))
        if each.get("collection", "users") == "users" and isinstance(kind, str) and value:
            found[re.sub(r"[^a-z0-9]+", "_", kind.lower())] = value
    return found


def viewed(
    type_: str, data: dict[str, Any], rest: dict[str, Any], context: Mapping[str, Any]
) -> Meaning:
    """Something was looked at during a visit, if the client numbers its visits."""
    names = ("session_id", "sessionId", "session")
    session = next((found for name in names if (found := _moved(rest, name, ref))), None)
    data["session"] = session or ref(context.get("sessionId"))
    data["properties"] = rest
    # Pages are on the web and screens in an app, whichever side the library runs on.
    channel = "app" if type_ == ScreenViewed.type else "web"
    return Meaning(type_, _present(data), channel=channel)


def _moved(rest: dict[str, Any], name: str, read: Callable[[object], str | None]) -> str | None:
    if name not in rest:
        return None
    value = read(rest[name])
    if value is not None:
        del rest[name]
    return value


def _left(event: Mapping[str, Any], own: set[str]) -> dict[str, Any]:
    """What else the client put beside the members that the call has."""
    others = event.keys() - ENVELOPE - own
    return {name: event[name] for name in others if event[name] not in (None, {})}


def _present(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in (None, {})}

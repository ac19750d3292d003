"""What the demo changes in the rules that ship: so that nobody has to wait for hours."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rapport_cli.demo.desk import Desk

Document = Mapping[str, Any]

CART, BIRTHDAY = "abandoned_cart", "birthday"
PARCEL, RECOVERY = "shipment_delayed", "detractor_recovery"


async def hurry(desk: Desk, birthday: datetime) -> dict[str, str]:
    """Versions of the demo's own go live: a cart is left after seconds, a birthday is at that time.

    By trigger: the version. Nobody is held out, as the story needs everybody in it.
    """
    changed: dict[str, Document] = {
        CART: {"delay": "2s"},
        BIRTHDAY: {"on": {"calendar": {"kind": "birthday", "at": f"{birthday:%H:%M}"}}},
    }
    found = {}
    for trigger, changes in changed.items():
        document = (await desk.read(f"/v1/triggers/{trigger}"))["document"]
        ours = {**document, **changes, "holdout": {"trigger": 0, "global": False}}
        draft = await desk.write(f"/v1/triggers/{trigger}", ours, "ops", "PUT")
        path = f"/v1/triggers/{trigger}/versions/{draft['version']}:go-live"
        found[trigger] = str((await desk.write(path, {}, "ops"))["version"])
    return found

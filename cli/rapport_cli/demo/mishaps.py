"""What goes wrong between publishers and us, on purpose: events that no door should let in."""

from datetime import datetime

from rapport_cli.demo.script import CARRIER, DESK, HELPDESK, SURVEYS, Script


def slip(script: Script, at: datetime) -> None:
    """Seven slips that publishers really make; each is refused for another reason."""
    odd = {"order_id": "O-9", "total": "9.123", "currency": "EUR"}
    script.call(at, "order.placed.v1", "Order Completed", odd, refused="amount_precision")
    script.fact(at, "ticket.resolvd", HELPDESK, {"ticket": "T-2001"}, refused="unknown_type")
    script.fact(at, "ticket.created", HELPDESK, {"topic": "delivery"}, refused="missing")
    off_scale = {"survey": "v-9", "kind": "nps", "score": 11}
    script.fact(at, "survey.responded", SURVEYS, off_scale, refused="out_of_range")
    misspelt = {"order": "O-9", "on_tiem": True}
    script.fact(at, "order.delivered", CARRIER, misspelt, refused="unknown_field")
    not_theirs = {"certificate_id": "none"}
    script.fact(at, "customer.erased", DESK, not_theirs, refused="forbidden_type")
    script.fact(
        at,
        "ticket.created",
        HELPDESK,
        {"ticket": "T-9"},
        known_as={"email": "not an address"},
        refused="bad_identifier",
    )

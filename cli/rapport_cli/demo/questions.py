"""What the demo asks its customers, as documents of the feedback service's API."""

from typing import Any, Final

_WHY: Final = {
    "id": "comment",
    "type": "text",
    "text": {"en": "What should we know?", "de": "Was sollten wir wissen?"},
}

AFTER_CASE: Final[dict[str, Any]] = {
    "id": "after_case",
    "kind": "csat",
    "about": "service",
    "title": {"en": "How did we do?", "de": "Wie waren wir?"},
    "questions": [
        {
            "id": "score",
            "type": "score",
            "text": {
                "en": "How happy are you with our help?",
                "de": "Wie zufrieden sind Sie mit unserer Hilfe?",
            },
            "low": {"en": "Not at all", "de": "Gar nicht"},
            "high": {"en": "Very", "de": "Sehr"},
            "required": True,
        },
        _WHY,
    ],
    "thanks": {"en": "Thank you. A person reads every word.", "de": "Danke. Wir lesen jedes Wort."},
    "rules": [{"id": "solved", "on": "ticket.resolved"}],
}
"""Satisfaction, as soon as a question is solved."""

AFTER_PARCEL: Final[dict[str, Any]] = {
    "id": "after_parcel",
    "kind": "nps",
    "about": "relationship",
    "title": {"en": "Would you recommend us?", "de": "Würden Sie uns empfehlen?"},
    "questions": [
        {
            "id": "score",
            "type": "score",
            "text": {
                "en": "How likely are you to recommend us to a friend?",
                "de": "Wie wahrscheinlich empfehlen Sie uns weiter?",
            },
            "low": {"en": "Not at all", "de": "Gar nicht"},
            "high": {"en": "Certainly", "de": "Sicher"},
            "required": True,
        },
        {
            "id": "reason",
            "type": "choice",
            "text": {"en": "What counted most?", "de": "Was zählte am meisten?"},
            "options": [
                {"id": "product", "text": {"en": "The product", "de": "Das Produkt"}},
                {"id": "delivery", "text": {"en": "The delivery", "de": "Die Lieferung"}},
                {"id": "people", "text": {"en": "Your people", "de": "Ihre Leute"}},
            ],
        },
        _WHY,
    ],
    "loop": {"due_hours": 24, "owner": "care"},
    "rules": [{"id": "delivered", "on": "order.delivered"}],
}
"""Recommendation, as soon as a parcel is there; who would not is got back to by tomorrow."""

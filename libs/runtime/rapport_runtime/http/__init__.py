"""The HTTP kit: what every service answers in the same way."""

"""Delivers what `action.requested` asks for: by mail, by webhook, or on the console."""

"""Refused events: kept sealed with the reason, listed, mended and tried again."""

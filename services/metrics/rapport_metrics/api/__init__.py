"""The HTTP door of the metrics service."""

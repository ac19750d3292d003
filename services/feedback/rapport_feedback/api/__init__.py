"""The HTTP door of the feedback service."""

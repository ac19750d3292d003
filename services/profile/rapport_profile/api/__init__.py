"""The HTTP door of the profile service."""

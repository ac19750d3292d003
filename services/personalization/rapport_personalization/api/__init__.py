"""The HTTP door of the personalization service."""

"""Who speaks when this service does."""

from typing import Final

SOURCE: Final = "/rapport/feedback"

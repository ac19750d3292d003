"""Building a projection again from the log, beside the live one, and proving the live one right."""

from rapport_runtime.rebuild.build import Report, list_builds, rebuild, roll_back
from rapport_runtime.rebuild.builds import PROMOTED, Build
from rapport_runtime.rebuild.projection import Beside, Part, Projection, Site, Tell
from rapport_runtime.rebuild.verify import verify

__all__ = [
    "PROMOTED",
    "Beside",
    "Build",
    "Part",
    "Projection",
    "Report",
    "Site",
    "Tell",
    "list_builds",
    "rebuild",
    "roll_back",
    "verify",
]

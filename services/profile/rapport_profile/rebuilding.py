"""`rebuild` and `verify` of the profile's projection, as commands."""

from collections.abc import Sequence
from typing import Final

from rapport_runtime.rebuild import command

from rapport_profile.projection import projection
from rapport_profile.settings import ProfileSettings

_PACKAGE: Final = "rapport_profile"
_SAMPLE: Final = 1_000


def rebuild_command(settings: ProfileSettings, arguments: Sequence[str]) -> int:
    return command.rebuild_command(_PACKAGE, settings, projection(settings), arguments)


def verify_command(settings: ProfileSettings, arguments: Sequence[str]) -> int:
    return command.verify_command(_PACKAGE, settings, projection(settings), arguments, _SAMPLE)

"""From the text of a trigger to a trigger; what is wrong with it comes with line and column."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from rapport_personalization.compiling import trigger_of
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.problems import InvalidTriggerError, Problem, read_parts
from rapport_personalization.schemas.trigger import TriggerDocument

__all__ = ["FOLDER", "InvalidTriggerError", "Problem", "load", "read_document", "read_trigger"]

FOLDER: Final = Path(__file__).parent / "triggers"
"""The catalogue that the project ships."""


def read_trigger(text: str, version: str = "1") -> Trigger:
    """A trigger of YAML or JSON that was accepted before. Raises InvalidTriggerError."""
    return trigger_of(*read_parts(text), version)


def read_document(text: str, templates: Collection[str] | None = None) -> TriggerDocument:
    """The document itself, whose conditions have been checked too. Raises InvalidTriggerError.

    `templates`: those that there are; None: they are not looked at.
    """
    return _read_new(text, templates)[0]


def load(folder: Path = FOLDER) -> list[Trigger]:
    """All triggers of a folder. Raises InvalidTriggerError, whose problems begin with the file."""
    found, problems = [], []
    for path in sorted(folder.glob("*.yaml")):
        try:
            _, trigger = _read_new(path.read_text(encoding="utf-8"))
        except InvalidTriggerError as error:
            problems += [one._replace(path=f"{path.name} {one.path}") for one in error.problems]
            continue
        found.append(trigger)
    if problems:
        raise InvalidTriggerError(problems)
    return found


def _read_new(
    text: str, templates: Collection[str] | None = None
) -> tuple[TriggerDocument, Trigger]:
    document, source = read_parts(text)
    return document, trigger_of(document, source, "1", templates, is_new=True)

"""From the text of a trigger to a trigger; what is wrong with it comes with line and column."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from rapport_personalization.compiling import trigger_of
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.marked import Marked
from rapport_personalization.problems import InvalidTriggerError, Problem, read_parts
from rapport_personalization.schemas.trigger import TriggerDocument

__all__ = [
    "FOLDER",
    "InvalidTriggerError",
    "Problem",
    "load",
    "read_document",
    "read_folder",
    "read_trigger",
]

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
    return [trigger for _, trigger, _ in read_folder(folder)]


def read_folder(
    folder: Path, templates: Collection[str] | None = None
) -> list[tuple[TriggerDocument, Trigger, str]]:
    """Each with its text. Raises InvalidTriggerError with what is wrong with all of the files.

    `templates`: those that there are; None: they are not looked at.
    """
    found: dict[str, tuple[TriggerDocument, Trigger, str]] = {}
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            text = path.read_text(encoding="utf-8")
            document, trigger, source = _read_new(text, templates)
        except UnicodeDecodeError:
            problems.append(Problem(path.name, 1, 1, "is not UTF-8"))
            continue
        except InvalidTriggerError as error:
            problems += [
                one._replace(path=f"{path.name} {one.path}".rstrip()) for one in error.problems
            ]
            continue
        other = files.setdefault(document.id, path.name)
        if other != path.name:
            message = f"`{document.id}` is the id in {other} already"
            problems.append(Problem(f"{path.name} id", *source.place(("id",)), message))
        found[document.id] = (document, trigger, text)
    if problems:
        raise InvalidTriggerError(problems)
    return list(found.values())


def _read_new(
    text: str, templates: Collection[str] | None = None
) -> tuple[TriggerDocument, Trigger, Marked]:
    document, source = read_parts(text)
    return document, trigger_of(document, source, "1", templates, is_new=True), source

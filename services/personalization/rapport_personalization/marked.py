"""YAML and JSON with the place of every value, so that an error can point at it.

Only what JSON has too: YAML 1.2's plain scalars, no tags, no aliases (nine lines of them unfold
to gigabytes), no key twice.
"""

import re
from typing import Final, NamedTuple

import yaml

MAX_LENGTH: Final = 65_536
"""Characters."""
MAX_DEPTH: Final = 30

_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{1,17}")
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}

Loc = tuple[str | int, ...]


class Place(NamedTuple):
    """Counted from 1."""

    line: int
    column: int


class MarkedError(ValueError):
    """A text that is no document."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(f"{place.line}:{place.column}: {message}")
        self.message = message
        self.place = place


class Marked(NamedTuple):
    """A document, where its values begin, and where its keys are."""

    value: object
    places: dict[Loc, Place]
    keys: dict[Loc, Place]
    styles: dict[Loc, str | None]
    lines: list[str]

    def place(self, loc: Loc) -> Place:
        """Of the value at this path, or of the nearest thing around it."""
        for length in range(len(loc), -1, -1):
            found = self.places.get(loc[:length])
            if found is not None:
                return found
        return Place(1, 1)

    def inside(self, loc: Loc, line: int, column: int) -> Place:
        """Of a line and column within the text at this path."""
        start, style = self.place(loc), self.styles.get(loc)
        if style is None or style in "'\"":
            # An error in a later line of a quoted text: the line breaks were folded away.
            return Place(start.line, start.column + (style is not None) + column - 1)
        return self._inside_block(loc, style, line, column)

    def _inside_block(self, loc: Loc, style: str, line: int, column: int) -> Place:
        start = self.place(loc)
        rows = self.lines[start.line :]
        indent = next((len(row) - len(row.lstrip()) for row in rows if row.strip()), 0)
        if style == "|":
            return Place(start.line + line, indent + column)
        # Folded: each row was followed by one space.
        for offset, row in enumerate(rows, start=1):
            length = len(row[indent:].rstrip()) + 1
            if column <= length:
                return Place(start.line + offset, indent + column)
            column -= length
        return start


def read(text: str) -> Marked:
    """Raises MarkedError."""
    if len(text) > MAX_LENGTH:
        raise MarkedError(f"is longer than {MAX_LENGTH} characters", Place(1, 1))
    try:
        _refuse_aliases(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise MarkedError(_reason(error), _at(error.problem_mark)) from None
    except yaml.reader.ReaderError as error:
        raise MarkedError("has characters that no YAML has", _after(text, error.position)) from None
    except RecursionError:
        raise MarkedError("is nested too deeply", Place(1, 1)) from None
    if node is None:
        raise MarkedError("is empty", Place(1, 1))
    marked = Marked(None, {}, {}, {}, text.split("\n"))
    return marked._replace(value=_value(node, (), marked))


def _refuse_aliases(text: str) -> None:
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        match token:
            case yaml.AliasToken() | yaml.AnchorToken() | yaml.TagToken():
                raise MarkedError("anchors, aliases and tags are not used", _at(token.start_mark))
            case yaml.BlockMappingStartToken() | yaml.BlockSequenceStartToken():
                depth += 1
            case yaml.FlowMappingStartToken() | yaml.FlowSequenceStartToken():
                depth += 1
            case yaml.BlockEndToken() | yaml.FlowMappingEndToken() | yaml.FlowSequenceEndToken():
                depth -= 1
            case _:
                pass
        if depth > MAX_DEPTH:
            raise MarkedError("is nested too deeply", _at(token.start_mark))


def _value(node: yaml.Node, loc: Loc, marked: Marked) -> object:
    marked.places[loc] = _at(node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, loc, marked)
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*loc, index), marked) for index, one in enumerate(node.value)]
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    marked.styles[loc] = style
    return str(node.value) if style is not None else _plain(str(node.value))


def _mapping(node: yaml.MappingNode, loc: Loc, marked: Marked) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise MarkedError("a key is a word", _at(key.start_mark))
        # `on` is a word here, and not true.
        name = str(key.value)
        if name in found:
            raise MarkedError(f"`{name}` is said twice", _at(key.start_mark))
        marked.keys[(*loc, name)] = _at(key.start_mark)
        found[name] = _value(value, (*loc, name), marked)
    return found


def _plain(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _at(mark: yaml.Mark | None) -> Place:
    return Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)


def _after(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - before.rfind("\n"))


def _reason(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part)

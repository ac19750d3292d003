"""Puts messages into words by Liquid templates, which can do no harm and come to an end.

A folder holds `<name>.<language>.liquid`; a first line `Subject: …` is the subject, and
`<name>.<language>.html.liquid` beside it is the same message as HTML.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from liquid import BoundTemplate, DictLoader, Environment
from liquid.exceptions import LiquidError
from liquid.undefined import FalsyStrictUndefined

from rapport_runtime.sender.filters import BUILT_IN, FILTERS
from rapport_runtime.sender.message import Rendered, TemplateError

MOST_SOURCE: Final = 64_000
MOST_OUTPUT: Final = 256_000

_SUFFIX: Final = ".liquid"
_HTML: Final = ".html"
_SUBJECT: Final = "Subject:"
_LONGEST_SUBJECT: Final = 250
_TAKEN_OUT: Final = (
    "cycle", "decrement", "doc", "ifchanged", "include", "increment", "liquid", "render",
    "tablerow",
)  # fmt: skip
"""Tags that no message needs."""

_ARITHMETIC: Final = (ArithmeticError, ValueError, TypeError, RecursionError)
"""What sums and ranges in a template can come to."""


class _Bounded(Environment):
    """Names are looked up in what a message brings along, never among attributes of objects."""

    block_nesting_limit = 12
    context_depth_limit = 12
    loop_iteration_limit = 1_000
    local_namespace_limit = 100_000
    output_stream_limit = MOST_OUTPUT


@dataclass(frozen=True, slots=True)
class _Wording:
    """A message in one language."""

    subject: BoundTemplate | None
    text: BoundTemplate
    html: BoundTemplate | None


class FolderTemplates:
    """The templates of some folders; a name and language of a later one replaces the former's."""

    def __init__(self, folders: Iterable[Path], language: str = "en") -> None:
        """Raises TemplateError."""
        self._language = language
        self._wordings: dict[str, dict[str, _Wording]] = {}
        plain, escaping = _environment(escapes=False), _environment(escapes=True)
        for folder in folders:
            if not folder.is_dir():
                raise TemplateError(f"{folder}: there is no such folder")
            for path in sorted(folder.glob(f"*{_SUFFIX}")):
                if not path.name.endswith(_HTML + _SUFFIX):
                    self._add(path, plain, escaping)

    def render(
        self, name: str, language: str | None, variables: Mapping[str, Any]
    ) -> Rendered | None:
        """In the language, the language without its region, the default one, or any that is there.

        None: there is no such template. Raises TemplateError.
        """
        by_language = self._wordings.get(name)
        if by_language is None:
            return None
        wording = by_language[self._choose(by_language, language)]
        subject = None if wording.subject is None else _run(wording.subject, variables)
        return Rendered(
            text=_run(wording.text, variables),
            subject=None if subject is None else " ".join(subject.split())[:_LONGEST_SUBJECT],
            html=None if wording.html is None else _run(wording.html, variables),
        )

    def _choose(self, by_language: Mapping[str, _Wording], language: str | None) -> str:
        wanted = (language or self._language).lower().replace("_", "-")
        for one in (wanted, wanted.partition("-")[0], self._language):
            if one in by_language:
                return one
        return min(by_language)

    def _add(self, path: Path, plain: Environment, escaping: Environment) -> None:
        name, _, language = path.name.removesuffix(_SUFFIX).rpartition(".")
        if not name:
            raise TemplateError(f"{path.name}: a template is called <name>.<language>{_SUFFIX}")
        source = _read(path)
        beside = path.with_name(f"{name}.{language}{_HTML}{_SUFFIX}")
        html = _parse(escaping, beside.name, _read(beside)) if beside.exists() else None
        subject = None
        if source.startswith(_SUBJECT):
            first, _, source = source.partition("\n")
            subject = _parse(plain, path.name, first.removeprefix(_SUBJECT).strip())
            # Lines are counted as the file has them.
            source = "\n" + source
        wording = _Wording(subject, _parse(plain, path.name, source), html)
        self._wordings.setdefault(name, {})[language.lower()] = wording


def _environment(*, escapes: bool) -> Environment:
    made = _Bounded(loader=DictLoader({}), undefined=FalsyStrictUndefined, autoescape=escapes)
    for tag in _TAKEN_OUT:
        del made.tags[tag]
    for name in made.filters.keys() - BUILT_IN:
        del made.filters[name]
    for name, function in FILTERS.items():
        made.add_filter(name, function)
    return made


def _read(path: Path) -> str:
    source = path.read_bytes()
    if len(source) > MOST_SOURCE:
        raise TemplateError(f"{path.name}: is longer than {MOST_SOURCE} bytes")
    try:
        return source.decode()
    except UnicodeDecodeError:
        raise TemplateError(f"{path.name}: is not UTF-8") from None


def _parse(environment: Environment, name: str, source: str) -> BoundTemplate:
    try:
        return environment.from_string(source, name=name)
    except (LiquidError, *_ARITHMETIC) as error:
        raise TemplateError(_told(name, error)) from None


def _run(template: BoundTemplate, variables: Mapping[str, Any]) -> str:
    try:
        return template.render(dict(variables)).strip() + "\n"
    except (LiquidError, *_ARITHMETIC) as error:
        raise TemplateError(_told(template.name, error)) from None


def _told(name: str, error: Exception) -> str:
    """File, line and column, and what the library calls it: its own sentence may quote values."""
    place = error.context() if isinstance(error, LiquidError) else None
    where = name if place is None else f"{name}:{place[0]}:{place[1] + 1}"
    return f"{where}: {_KINDS.get(type(error).__name__, type(error).__name__)}"


_KINDS: Final = {
    "LiquidSyntaxError": "cannot be read",
    "UndefinedError": "a variable is missing",
    "UnknownFilterError": "there is no such filter",
    "NoSuchFilterFunc": "there is no such filter",
    "FilterArgumentError": "a filter cannot take this value",
    "LoopIterationLimitError": "loops for too long",
    "OutputStreamLimitError": f"makes more than {MOST_OUTPUT} bytes",
    "LocalNamespaceLimitError": "holds too much at once",
    "ContextDepthError": "is nested too deeply",
    "BlockNestingError": "is nested too deeply",
}

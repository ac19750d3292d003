"""`rapport config`: what the environment tells the services, with secrets left out."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rapport_runtime.settings import Settings

from rapport_cli.output import AsJson, show
from rapport_cli.stack.databases import redacted

app = typer.Typer(help="What services are told by the environment.", no_args_is_help=True)

_PREFIX = "RAPPORT_"
_HIDDEN = "(hidden)"


@app.callback()
def config() -> None:
    """What services are told by the environment."""


@app.command("show")
def show_config(*, as_json: AsJson = False) -> None:
    """List every setting, its value without secrets, and where it comes from.

    Example: rapport config show

    Example: RAPPORT_LOG__LEVEL=debug rapport config show --json
    """
    rows = list(_settings(Settings, _PREFIX, os.environ))
    show(rows, ("variable", "value", "source", "about"), as_json=as_json)


def _settings(
    model: type[BaseModel], prefix: str, environ: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        section = _section(field)
        if section is not None:
            yield from _settings(section, f"{variable}__", environ)
        else:
            value, source = _value(variable, field, environ)
            about = field.description
            yield {"variable": variable, "value": value, "source": source, "about": about}


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """The nested group that a field is, `Group | None` included."""
    for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _value(variable: str, field: FieldInfo, environ: Mapping[str, str]) -> tuple[str | None, str]:
    secret = field.repr is False
    if f"{variable}_FILE" in environ:
        return _HIDDEN if secret else "(in the file)", environ[f"{variable}_FILE"]
    if variable in environ:
        return _shown(environ[variable], secret=secret), "environment"
    if field.is_required():
        return None, "not set"
    return str(field.get_default(call_default_factory=True)), "default"


def _shown(value: str, *, secret: bool) -> str:
    if "://" in value:
        return redacted(value)
    return _HIDDEN if secret else value

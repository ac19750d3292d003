"""The pages of one service, as bytes and the headers that belong to them."""

import base64
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.responses import Response

_SHARED: Final = files(__package__)


class Site:
    """Templates and style of a package, on top of those that all pages share.

    `base.html` and `message.html` are here; both want `page.language` and `page.brand`.
    """

    def __init__(self, package: str) -> None:
        self._own = files(package)
        style = _read(_SHARED, "style.css") + _read(self._own, "style.css")
        digest = base64.b64encode(sha256(style.encode()).digest()).decode()
        self.headers: Mapping[str, str] = {
            "content-security-policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
                "frame-ancestors 'none'; base-uri 'none'"
            ),
            "cache-control": "no-store",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "interest-cohort=()",
            "referrer-policy": "no-referrer",
            "vary": "accept-language",
            "x-content-type-options": "nosniff",
            "x-robots-tag": "noindex, nofollow",
        }
        self._environment = Environment(
            autoescape=True,
            undefined=StrictUndefined,
            loader=FunctionLoader(self._template),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["style"] = Markup(style)  # noqa: S704 - our own files

    def template(self, name: str) -> Template:
        return self._environment.get_template(name)

    def respond(
        self, html: str, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        all_ = {**self.headers, **(headers or {})}
        return Response(html.encode(), status, all_, media_type="text/html; charset=utf-8")

    def _template(self, name: str) -> str:
        own = self._own.joinpath("templates", name)
        return _read(own if own.is_file() else _SHARED.joinpath("templates", name))


def _read(place: Traversable, *names: str) -> str:
    found = place.joinpath(*names) if names else place
    return found.read_text("utf-8").strip() if found.is_file() else ""

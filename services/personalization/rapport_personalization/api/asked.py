"""Who may ask what of this service."""

from typing import Annotated

from rapport_runtime.http.auth import Principal, requires

Reader = Annotated[Principal, requires("rules:read")]
Writer = Annotated[Principal, requires("rules:write")]

"""Who may ask what of this service."""

from typing import Annotated

from fastapi import Path
from rapport_runtime.http.auth import Principal, requires

Reader = Annotated[Principal, requires("rules:read")]
Writer = Annotated[Principal, requires("rules:write")]

AgentReader = Annotated[Principal, requires("profile:read")]
AgentWriter = Annotated[Principal, requires("notes:write")]

Ref = Annotated[
    str, Path(max_length=300, description="A subject id, or `user_id:…`", examples=["user_id:u-97"])
]

"""The keyring as the services that need one are wired to it."""

from collections.abc import Sequence

from rapport_runtime.http.health import Check
from rapport_runtime.settings import KeyringSettings

from rapport_privacy.headfile import read_head
from rapport_privacy.keyring import Keyring
from rapport_privacy.master import MasterKey


async def open_keyring(settings: KeyringSettings) -> Keyring:
    """Raises what `Keyring.open` and `read_head` raise."""
    return await Keyring.open(
        settings.url,
        MasterKey.from_base64(settings.master_key),
        cache_seconds=settings.cache_seconds,
        at_least=read_head(settings.ledger_head_file),
    )


def keyring_check(opened: Sequence[Keyring]) -> Check:
    """Whether the keyrings that a process has opened by now answer."""

    async def check() -> str | None:
        for keyring in opened:
            await keyring.check()
        return None if opened else "not opened yet"

    return check

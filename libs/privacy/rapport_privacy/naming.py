"""How a caller names a customer in a query: `email:ada@example.com`, or a subject id."""

from uuid import UUID

from rapport_privacy.identifiers import InvalidIdentifierError, normalise
from rapport_privacy.keyring import Keyring


class NotANameError(ValueError):
    """The text names nobody, whoever is known. Says why, without the text."""

    def __init__(self) -> None:
        super().__init__("is neither a subject id nor an identifier like `user_id:u-97`")


async def subject_named(keyring: Keyring, name: str) -> str | None:
    """The subject behind the name; None when nobody is known by it.

    Raises NotANameError and KeyringUnavailableError.
    """
    kind, colon, value = name.partition(":")
    try:
        if not colon:
            return str(UUID(name))
        identifier = normalise(kind, value)
    except (InvalidIdentifierError, ValueError):
        raise NotANameError from None
    return await keyring.find(kind, identifier)

"""The one shape of everything the command line may have to confess."""

from typing import ClassVar


class CliError(Exception):
    """What failed, with the value, and what to do next; docs/errors.md has an entry by `code`."""

    code: ClassVar[str]
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.code} {self.what} {self.fix} docs/errors.md#{self.code.lower()}"

"""`python -m rapport_cli` is the command `rapport`."""

from rapport_cli.main import main

main()

"""Two accounts with one e-mail address: perhaps one person, perhaps not. Both are made up."""

from typing import Final

from rapport_cli.demo import buying, serving
from rapport_cli.demo.catalogue import BEANS, PRODUCTS
from rapport_cli.demo.script import Person, Script
from rapport_cli.demo.stories import When

ADDRESS: Final = "lindqvist@example.com"

FAY: Final = Person(
    key="fay",
    first_name="Fay",
    last_name="Lindqvist",
    email=ADDRESS,
    user="u-fay",
    anonymous="anon-fay-laptop",
)
GUS: Final = Person(
    key="gus",
    first_name="Gus",
    last_name="Lindqvist",
    email=ADDRESS,
    user="u-gus",
    anonymous="anon-gus-laptop",
)


def fay(script: Script, when: When) -> None:
    """Had the address first, and waits for a call that is overdue."""
    script.page(when(18, 20, 1), "Cups")
    script.sign_up(when(18, 20, 5))
    buying.order(script, when(18, 20, 15), "O-1005", PRODUCTS[5])
    what = "A call when the blue cups are back"
    serving.promise(script, when(3, 15, 0), "c-34", "tom", what, when(1, 12, 0))


def gus(script: Script, when: When) -> None:
    """Signs up with the address that is Fay's already. Systems know him by his account."""
    script.page(when(6, 21, 30), "Beans")
    buying.look(script, when(6, 21, 31), BEANS)
    script.sign_up(when(6, 21, 35))
    buying.order(script, when(6, 21, 45), "O-1006", BEANS)

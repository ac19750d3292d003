"""What the made-up shop sells."""

from typing import NamedTuple


class Product(NamedTuple):
    """`price` in euros, as shops send it."""

    sku: str
    name: str
    category: str
    price: str


MACHINE = Product("sku-lyra", "Lyra espresso machine", "machines", "549.00")
BEANS = Product("sku-kaffa", "Kaffa beans, 1 kg", "beans", "24.90")
GRINDER = Product("sku-vega", "Vega grinder", "grinders", "189.00")
PRODUCTS = (
    MACHINE,
    BEANS,
    GRINDER,
    Product("sku-capri", "Capri moka pot", "pots", "34.50"),
    Product("sku-dora", "Dora kettle", "kettles", "79.00"),
    Product("sku-sumi", "Sumi cups, set of 4", "cups", "42.00"),
    Product("sku-sidamo", "Sidamo beans, 250 g", "beans", "9.80"),
    Product("sku-clean", "Descaling kit", "care", "12.90"),
)

"""Where the tables of the service stand together, with those that every service has."""

from rapport_runtime.people.tables import people_tables
from rapport_runtime.sender.tables import delivery_table
from rapport_runtime.tables import runtime_tables
from sqlalchemy import MetaData

metadata = MetaData()
runtime = runtime_tables(metadata)
people = people_tables(metadata)
delivery = delivery_table(metadata)

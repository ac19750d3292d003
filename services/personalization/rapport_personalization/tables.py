"""The tables of the personalization service."""

from rapport_runtime.tables import runtime_tables
from sqlalchemy import MetaData

metadata = MetaData()
runtime = runtime_tables(metadata)

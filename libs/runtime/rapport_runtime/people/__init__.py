"""Who is one person with whom, as the profile service tells it: for services that treat people."""

from rapport_runtime.people.groups import Person, Persons
from rapport_runtime.people.hearing import Heard, hear
from rapport_runtime.people.locking import lock_persons, read_persons

__all__ = ["Heard", "Person", "Persons", "hear", "lock_persons", "read_persons"]

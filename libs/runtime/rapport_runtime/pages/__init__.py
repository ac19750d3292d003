"""Pages for whoever has a signed link: plain HTML that needs no script and no other server."""

from rapport_runtime.pages.forms import FORM, FormError, UnreadableFormError, parse, read_form
from rapport_runtime.pages.site import Site
from rapport_runtime.pages.words import Words, load_words, spoken, wishes_of

__all__ = [
    "FORM",
    "FormError",
    "Site",
    "UnreadableFormError",
    "Words",
    "load_words",
    "parse",
    "read_form",
    "spoken",
    "wishes_of",
]

"""What customers try without us: help pages, the bot, and the errors they run into."""

from rapport_events import wire

from rapport_profile.domain.attempts.contact import Contact
from rapport_profile.domain.attempts.hearing import Contacts, Heard, folded


def hear(contacts: Contacts, heard: Heard, data: wire.Data) -> Contact | None:
    match data:
        case wire.HelpViewed():
            return _read(contacts.at("help", data.session or heard.key, heard), data.article)
        case wire.HelpSearched():
            return _search(contacts.at("help", data.session or heard.key, heard), heard, data)
        case wire.HelpRated():
            return _rate(contacts, heard, data)
        case wire.BotConversed():
            return _talk(contacts, heard, data)
        case wire.ErrorShown():
            seen = contacts.at("error", heard.key, heard)
            now = seen.attempts[-1]
            now.outcome, now.purpose, now.place = "shown", data.code, data.page
            return seen
    return None


def _read(visit: Contact, article: str) -> Contact:
    now = visit.attempts[-1]
    if article not in now.articles:
        now.articles.append(article)
    if now.outcome in {None, "found_nothing"}:
        now.outcome = "read"
    return visit


def _search(visit: Contact, heard: Heard, data: wire.HelpSearched) -> Contact:
    now = visit.attempts[-1]
    now.searches.append(heard.key)
    if now.outcome is None and data.results == 0:
        now.outcome = "found_nothing"
    return visit


def _rate(contacts: Contacts, heard: Heard, data: wire.HelpRated) -> Contact:
    """A rating names no visit: it is of the last one that read the article."""
    for contact in reversed(contacts.found.values()):
        if contact.kind == "help" and data.article in contact.attempts[-1].articles:
            break
    else:
        contact = _read(contacts.at("help", heard.key, heard), data.article)
    if data.helpful is not None:
        contact.attempts[-1].outcome = "helpful" if data.helpful else "not_helpful"
    return contact


def _talk(contacts: Contacts, heard: Heard, data: wire.BotConversed) -> Contact:
    talk = contacts.at("bot", data.conversation, heard)
    now = talk.attempts[-1]
    now.intent = data.intent or now.intent
    match data.outcome:
        case "solved" | "handed_over" | "abandoned" as known:
            now.outcome = known
    if data.intent is not None:
        talk.topics.add(folded(data.intent))
    return talk

"""Writes down what one customer does; ids follow from the customer's name and the count."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID, uuid5

from rapport_cli.demo.saying import Call, Fact, Said, Verb, instant


class System(NamedTuple):
    """One of the shop's systems that speak CloudEvents, and the id by which it knows customers."""

    source: str
    knows: Literal["user_id", "email", "phone"]
    initiated_by: str


SHOP: Final = System("/shop", "user_id", "customer")
HELPDESK: Final = System("/helpdesk", "email", "customer")
TELEPHONY: Final = System("/telephony", "phone", "customer")
CARRIER: Final = System("/carrier", "user_id", "thirdparty")
LOYALTY: Final = System("/loyalty", "user_id", "system")
MAILER: Final = System("/mailer", "user_id", "system")
SURVEYS: Final = System("/surveys", "email", "customer")
DESK: Final = System("/desk", "user_id", "agent")
"""Where agents work; what they write comes with their own key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody made up. `key` is their name in the script."""

    key: str
    first_name: str
    last_name: str
    email: str
    user: str
    anonymous: str
    phone: str | None = None

    @property
    def traits(self) -> dict[str, str]:
        known = {
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "phone": self.phone,
        }
        return {name: value for name, value in known.items() if value is not None}

    def known_to(self, system: System) -> dict[str, str]:
        """How the system names them; by their user id where they gave it no telephone number."""
        if system.knows == "email":
            return {"email": self.email}
        if system.knows == "phone" and self.phone is not None:
            return {"phone": self.phone}
        return {"user_id": self.user}


def made_up(name: str, last_name: str) -> Person:
    """Somebody new, with an address and an account."""
    return Person(
        key=name.lower(),
        first_name=name,
        last_name=last_name,
        email=f"{name}.{last_name}@example.com".lower(),
        user=f"u-{name.lower()}",
        anonymous=f"anon-{name.lower()}",
    )


class Script:
    """Everything that is said of one person. Nobody knows their name until `sign_up`."""

    def __init__(self, person: Person, world: UUID) -> None:
        self.person = person
        self.said: list[Said] = []
        self._world = world
        self._known = False

    def call(
        self,
        at: datetime,
        type_: str,
        name: str,
        body: Mapping[str, Any],
        *,
        verb: Verb = "track",
        device: str | None = None,
        refused: str | None = None,
    ) -> None:
        """A call of the shop's Segment client; `device`: another one, where nobody signed in."""
        user = self.person.user if self._known and device is None else None
        self.said.append(
            Call(
                id=self._new_id(),
                customer=self.person.key,
                type=type_,
                at=at,
                sent=at,
                refused=refused,
                verb=verb,
                user=user,
                anonymous=device or (None if self._known else self.person.anonymous),
                name=name,
                body=body,
            )
        )

    def page(self, at: datetime, name: str, device: str | None = None) -> None:
        address = {"url": f"https://shop.example/{name.lower().replace(' ', '-')}"}
        self.call(at, "page.viewed.v1", name, address, verb="page", device=device)

    def sign_up(self, at: datetime) -> None:
        """From here on the shop knows who it is: the first call names both of their ids."""
        person = self.person
        self._known = True
        self.said.append(
            Call(
                id=self._new_id(),
                customer=person.key,
                type="customer.identified.v1",
                at=at,
                sent=at,
                verb="identify",
                user=person.user,
                anonymous=person.anonymous,
                body=person.traits,
            )
        )
        self.call(at + timedelta(seconds=2), "customer.created.v1", "Signed Up", person.traits)

    def alias(self, at: datetime, previous: str) -> None:
        """The shop learns that another id was theirs, too."""
        self.said.append(
            Call(
                id=self._new_id(),
                customer=self.person.key,
                type="customer.aliased.v1",
                at=at,
                sent=at,
                verb="alias",
                user=self.person.user,
                anonymous=previous,
            )
        )

    def fact(
        self,
        at: datetime,
        type_: str,
        system: System,
        data: Mapping[str, Any],
        *,
        via: str | None = None,
        by: str | None = None,
        known_as: Mapping[str, str] | None = None,
        sent: datetime | None = None,
        refused: str | None = None,
    ) -> None:
        """A CloudEvent of one of the other systems. `via`: the channel; `by`: who began it."""
        self.said.append(
            Fact(
                id=self._new_id(),
                customer=self.person.key,
                type=f"{type_}.v1",
                at=at,
                sent=sent or at,
                refused=refused,
                source=system.source,
                channel=via,
                initiated_by=by or system.initiated_by,
                identifiers=known_as or self.person.known_to(system),
                data=_plain(data),
                key="agent" if system is DESK else "publisher",
            )
        )

    def _new_id(self) -> str:
        return str(uuid5(self._world, f"{self.person.key}/{len(self.said)}"))


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it; what is None is not said."""
    return {
        name: instant(value) if isinstance(value, datetime) else value
        for name, value in data.items()
        if value is not None
    }

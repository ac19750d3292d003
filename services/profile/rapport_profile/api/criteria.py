"""What a search asks for."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from rapport_events.envelope import CHANNELS
from rapport_runtime.http.paging import MOST
from rapport_runtime.http.problems import ApiError, FieldError

from rapport_profile.domain.facets import PURPOSES
from rapport_profile.domain.lifecycle import Stage
from rapport_profile.domain.names import SHORTEST, words
from rapport_profile.finding import Filters
from rapport_profile.ref import Ref, criterion, parse_ref

_CONSENT: Final = f"^({'|'.join(sorted(CHANNELS))})/({'|'.join(PURPOSES)})$"

_Value = Annotated[str | None, Field(max_length=300)]


class Criteria(BaseModel):
    """The query string of a search. A customer must meet all criteria."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: _Value = None
    phone: _Value = None
    user_id: _Value = None
    anonymous_id: _Value = None
    order: _Value = None
    ticket: _Value = None
    call: _Value = None
    identifier: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[],
        max_length=10,
        description="Any other identifier, as kind:value",
        examples=[["loyalty_id:L-77"]],
    )
    q: str | None = Field(
        default=None,
        min_length=SHORTEST,
        max_length=100,
        description="How names begin, one or more words; needs the scope profile:pii",
        examples=["ada lov"],
    )
    stage: Stage | None = Field(default=None, description="Stage of the lifecycle, now")
    segment: str | None = Field(default=None, min_length=1, max_length=256, examples=["vip"])
    consent: list[Annotated[str, Field(pattern=_CONSENT)]] = Field(
        default=[],
        max_length=5,
        description="Granted at present: channel/purpose",
        examples=[["email/marketing"]],
    )
    cursor: str | None = Field(default=None, max_length=2_048)
    limit: int = Field(default=20, ge=1, le=MOST)

    def refs(self) -> list[Ref]:
        """Raises MalformedRefError."""
        given = self.model_dump(include=_NAMED, exclude_none=True)
        named = [criterion(kind, value, name=kind) for kind, value in given.items()]
        others = [parse_ref(text, name="identifier", place="query") for text in self.identifier]
        return [*named, *others]

    def words(self) -> list[str]:
        """The beginnings of names. Raises NoNameError."""
        asked = words(self.q or "")
        if self.q is not None and not any(len(word) >= SHORTEST for word in asked):
            raise NoNameError
        return asked

    def filters(self) -> Filters:
        return Filters(self.stage, self.segment, self.consent or None)


_NAMED: Final = {"email", "phone", "user_id", "anonymous_id", "order", "ticket", "call"}


class NoCriterionError(ApiError):
    """A search without criteria would list everybody."""

    status_code = 422

    def __init__(self) -> None:
        known = ", ".join(name for name in Criteria.model_fields if name not in {"cursor", "limit"})
        super().__init__(
            f"give at least one of {known}",
            errors=[FieldError("", f"one of {known} is needed", "no_criterion", "query")],
        )


class NoNameError(ApiError):
    """No name can be found by this."""

    status_code = 422

    def __init__(self) -> None:
        reason = f"one word at least must have {SHORTEST} letters or digits"
        super().__init__(f"q: {reason}", errors=[FieldError("/q", reason, "no_name", "query")])


class SearchTooSlowError(ApiError):
    """Too few of too many fit."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "the search did not end within 2 s; give a longer beginning or another criterion, "
            "or try again",
            headers={"retry-after": "1"},
        )

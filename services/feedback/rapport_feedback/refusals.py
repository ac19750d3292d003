"""Why an answer that came by the API is not taken."""

from collections.abc import Sequence
from typing import Final

from rapport_runtime.http.problems import ApiError, FieldError

from rapport_feedback.domain.correction import pointer_of
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.given import Answers, Flaw

_REASONS: Final = {
    "required": "this question must be answered",
    "not_on_scale": "must be {0} to {1}",
    "no_option": "holds what is no option of the question, or an option twice",
    "one_only": "takes one option only",
    "too_long": "takes at most {0} characters",
    "not_asked": "the survey has no such question",
    "nothing": "nothing is answered; give at least one answer",
}


class AnswerRefusedError(ApiError):
    """An answer that the survey's questions do not allow."""

    status_code = 422

    def __init__(self, errors: Sequence[FieldError]) -> None:
        first = errors[0]
        super().__init__(
            f"{len(errors)} answer(s) cannot be taken; the first is {first.pointer}: "
            f"{first.detail}",
            errors=errors,
        )

    @classmethod
    def of(
        cls, flaws: Sequence[Flaw], definition: Definition, answers: Answers
    ) -> "AnswerRefusedError":
        return cls(
            [
                FieldError(
                    pointer_of(flaw, definition, answers),
                    _REASONS[flaw.code].format(*flaw.limits),
                    flaw.code,
                )
                for flaw in flaws
            ]
        )


class InvitationNotFoundError(ApiError):
    """Nobody was asked under this id."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(
            "no invitation of this id was sent; for somebody who was not invited, give "
            "`definition` and `customer` instead of `survey`"
        )


class ResponseNotFoundError(ApiError):
    """Nobody answered this survey."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__("no answer to this survey is known; GET /v1/feedback lists those that are")


class AlreadyAnsweredError(ApiError):
    """The survey has another answer."""

    status_code = 409

    def __init__(self, survey: str) -> None:
        super().__init__(
            "this survey was answered, otherwise than here; PATCH /v1/responses/{survey} "
            "corrects an answer",
            members={"survey": survey},
        )


class CorrectedMeanwhileError(ApiError):
    """Others keep correcting the same answer."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(
            "the answer was corrected by others at the same moment; read it and try again"
        )


class AnswerUnreadableError(ApiError):
    """What was written before can neither be read nor carried over."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(
            "what was written before cannot be opened; say `comment` and `texts` anew, "
            "null for what is not to be kept"
        )


class SurveyEndedError(ApiError):
    """The answer is later than the invitation allows."""

    status_code = 410

    def __init__(self) -> None:
        super().__init__("the time to answer this survey was over when this answer was given")


class CustomerErasedError(ApiError):
    """There was such a customer, who does not want to be known any more."""

    status_code = 410

    def __init__(self) -> None:
        super().__init__("this customer was erased; nothing is kept of them")


class SurveyIsDraftError(ApiError):
    """A survey that nobody can have answered yet."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__("this survey is a draft; make it live before it is answered")


class AnswerKeyMissingError(ApiError):
    """Without a key a repeat would be a second answer."""

    status_code = 422
    code = "idempotency_key_missing"

    def __init__(self) -> None:
        reason = "send the header Idempotency-Key: a repeat under the same key is no second answer"
        super().__init__(reason, errors=[FieldError("/idempotency-key", reason, place="header")])


class NotAnIdentifierError(ApiError):
    """A name of the customer that cannot name anybody."""

    status_code = 422

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(
            f"customer.{kind} {reason}", errors=[FieldError(f"/customer/{kind}", reason)]
        )

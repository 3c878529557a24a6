"""Errors of the business. Each carries its HTTP status: API and console answer alike."""

from collections.abc import Mapping


class DomainError(Exception):
    """A refusal a person can act on: `detail` is a sentence, `code` is stable, `field` is the caller's own name."""

    status = 400
    code = "invalid"

    def __init__(
        self, detail: str, *, code: str | None = None, field: str | None = None, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors: dict[str, str] = dict(errors or {})
        if field:
            self.errors.setdefault(field, detail)


class Forbidden(DomainError):
    """403: you are a party, or hold a role, but this is not yours to do."""

    status = 403
    code = "not_yours_to_do"


class Missing(DomainError):
    """404: not there, or not visible to you; the two look alike on purpose."""

    status = 404
    code = "not_found"


class Conflict(DomainError):
    """409: the state no longer allows it, usually because somebody else was first."""

    status = 409
    code = "conflict"


class Invalid(DomainError):
    """422: a value that data or the clock refuses; names the field."""

    status = 422
    code = "invalid"


class Unavailable(DomainError):
    """503: Paystack or the database is away; trying again later may help."""

    status = 503
    code = "unavailable"

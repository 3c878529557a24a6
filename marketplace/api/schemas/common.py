"""Types and small helpers that all shapes share."""

from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

from core.api import Naira, Text
from core.models import User


class Call(HttpRequest):
    """A request whose bearer token has said who calls."""

    auth: User


Reason = Annotated[str, Text(1000)]
"""Why, in words."""
Remark = Annotated[str, Text(1000, blank=True)]
"""Words that may be left out."""


def example(**values: Any) -> ConfigDict:
    """The `model_config` of a shape, by which the reference shows one with these values."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def example_of(shape: type[BaseModel]) -> dict[str, Any]:
    """The example that a shape shows, for a shape that shows more."""
    shown: Any = shape.model_config.get("json_schema_extra")
    return dict(shown["examples"][0])


def _above_zero(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("The amount should be above 0")
    return value


Price = Annotated[Naira, AfterValidator(_above_zero)]
"""An amount that somebody will pay: naira above 0."""

Stars = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:.2f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-5]\.[0-9]{2}$", "examples": ["4.67"]}),
]
"""A mean of ratings, 0.00 to 5.00, as a string; 0.00 while there is none."""

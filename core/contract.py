"""What Ninja writes into its OpenAPI document that no reader of OpenAPI 3.1 understands, put right."""

from typing import Any

from core.problems import MEDIA_TYPE

JSON = "application/json"
BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
"""pydantic leaves its own word for a bound on whatever it checks in two steps, as it does `core.fields.Whole`."""


def put_right(document: dict[str, Any]) -> None:
    """Change the document in place."""
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            _operation(operation, schemas)
    _name_bounds(document)


def _operation(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if int(status) >= 400 and JSON in response.get("content", {}):
            response["content"] = {MEDIA_TYPE: response["content"][JSON]}
    for parameter in operation["parameters"]:
        # A list, where OpenAPI wants a map; the parameter's schema has it too.
        parameter.pop("examples", None)
    if JSON in (body := operation.get("requestBody", {})).get("content", {}):
        schema = body["content"][JSON]["schema"]
        # No body says as much as an empty one.
        body["required"] = bool(schemas.get(schema.get("$ref", "").rpartition("/")[2], schema).get("required"))


def _name_bounds(node: Any) -> None:
    """A bound is a number; a field that bore such a name would hold a schema."""
    if isinstance(node, dict):
        for pydantics, standard in BOUNDS.items():
            if isinstance(node.get(pydantics), int | float):
                node[standard] = node.pop(pydantics)
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _name_bounds(part)

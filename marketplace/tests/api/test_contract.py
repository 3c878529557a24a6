"""The contract as a document: OpenAPI 3.1 that generators and validators read, and that says what the API does."""

import json
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY
from ninja.openapi.schema import OpenAPISchema

from marketplace.api import api

CHECKED_IN = Path(settings.BASE_DIR, "docs", "openapi.json")
RENEW = "uv run manage.py export_openapi_schema --sorted --indent 1 > docs/openapi.json"
CONTRACT = json.loads(json.dumps(api.get_openapi_schema()))
SCHEMAS = CONTRACT["components"]["schemas"]
OPERATIONS = {operation["operationId"]: operation for path in CONTRACT["paths"].values() for operation in path.values()}
BY_NAME = ("properties", "$defs", "patternProperties", "dependentSchemas")
"""Keywords whose value names schemas."""


@cache
def keywords():
    """Everything JSON Schema 2020-12 knows, and what OpenAPI adds to it."""
    found = {"discriminator", "xml", "externalDocs", "example"}
    for uri in REGISTRY:
        if "draft/2020-12" in uri:
            found |= set(REGISTRY.contents(uri).get("properties", ()))
    return found


def parts_of(schema, place):
    """A schema and all schemas inside it, each with the place where it stands."""
    if not isinstance(schema, dict):
        return
    yield place, schema
    for key, value in schema.items():
        if key in BY_NAME:
            for name, part in value.items():
                yield from parts_of(part, f"{place}.{name}")
        elif key in ("items", "additionalProperties", "not"):
            yield from parts_of(value, f"{place}.{key}")
        elif key in ("anyOf", "allOf", "oneOf", "prefixItems"):
            for index, part in enumerate(value):
                yield from parts_of(part, f"{place}.{key}.{index}")


def schemas_of_operations():
    for name, operation in OPERATIONS.items():
        for parameter in operation["parameters"]:
            yield f"{name} {parameter['name']}", parameter["schema"]
        for media in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{name} body", media["schema"]
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                yield f"{name} {status}", media.get("schema", {})


EVERYWHERE = [
    each for place, schema in [*SCHEMAS.items(), *schemas_of_operations()] for each in parts_of(schema, place)
]


def test_the_checked_in_copy_is_the_contract():
    out = StringIO()
    call_command("export_openapi_schema", sort_keys=True, indent=1, stdout=out)
    assert CHECKED_IN.is_file(), f"Make it: {RENEW}"
    if CHECKED_IN.read_text() != out.getvalue():
        pytest.fail(f"docs/openapi.json is not what the API says now. Read the difference after: {RENEW}")


def test_no_two_shapes_share_a_name(monkeypatch):
    """Ninja merges shapes by name, and the last one wins."""
    seen, clashes = {}, set()

    def add(document, definitions):
        for name, definition in definitions.items():
            text = json.dumps(definition, sort_keys=True)
            if seen.setdefault(name, text) != text:
                clashes.add(name)
        document.schemas.update(definitions)

    monkeypatch.setattr(OpenAPISchema, "add_schema_definitions", add)
    api.get_openapi_schema()
    assert seen
    assert not clashes


def test_every_key_of_a_schema_is_json_schema():
    odd = {place: sorted(set(schema) - keywords()) for place, schema in EVERYWHERE if set(schema) - keywords()}
    assert not odd


def test_every_schema_is_well_formed():
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def test_every_example_fits_its_own_schema():
    wrong = {
        f"{place}: {error.json_path} {error.message}"
        for place, schema in EVERYWHERE
        for example in schema.get("examples", ())
        for error in Draft202012Validator({**schema, "components": CONTRACT["components"]}).iter_errors(example)
    }
    assert not wrong


def test_parameters_carry_no_examples_of_their_own():
    """OpenAPI wants a map there; those of the schema say the same."""
    assert not [
        (name, parameter["name"])
        for name, operation in OPERATIONS.items()
        for parameter in operation["parameters"]
        if {"examples", "example"} & set(parameter)
    ]


def body_of(operation):
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def test_a_body_is_required_where_one_of_its_fields_is():
    for name, operation in OPERATIONS.items():
        if "application/json" in operation.get("requestBody", {}).get("content", {}) and name != "payments_webhook":
            assert operation["requestBody"]["required"] == bool(body_of(operation).get("required")), name


def test_the_webhook_says_what_it_is_sent():
    webhook = OPERATIONS["payments_webhook"]
    (signature,) = [parameter for parameter in webhook["parameters"] if parameter["in"] == "header"]
    assert (signature["name"], signature["required"]) == ("x-paystack-signature", True)
    assert webhook["requestBody"]["required"] is True
    assert set(body_of(webhook)["properties"]) == {"event", "data"}


def test_approving_a_price_and_a_serviceman_are_two_bodies():
    assert body_of(OPERATIONS["requests_approve"])["required"] == ["price_version"]
    assert set(body_of(OPERATIONS["backoffice_approve_serviceman"])["properties"]) == {"category_id"}


def test_refunds_show_the_states_they_are_said_to_have():
    shown = SCHEMAS["RequestPaymentOut"]["properties"]["refund_status"]["anyOf"]
    assert [part.get("enum") for part in shown] == [
        ["DUE", "REVIEW", "APPROVED", "SENT", "PROCESSED", "FAILED", "NEEDS_ATTENTION"],
        None,
    ]
    assert shown[-1] == {"type": "null"}

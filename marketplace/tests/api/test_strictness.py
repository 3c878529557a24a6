"""Unknown fields and query keys are refused by every operation that is not about signing in."""

import pytest

from marketplace.api import api

SHUT = ("/api/auth/", "/api/me/", "/api/payments/webhook/")
"""Throttled, or raw, and tested on their own."""
CONTRACT = api.get_openapi_schema()
SCHEMAS = CONTRACT["components"]["schemas"]
OPERATIONS = [
    (method, path, operation)
    for path, operations in CONTRACT["paths"].items()
    for method, operation in operations.items()
    if not path.startswith(SHUT)
]


def each(operations):
    names = [f"{method} {path}" for method, path, _ in operations]
    return pytest.mark.parametrize(("method", "path", "operation"), operations, ids=names)


def is_id(parameter):
    return parameter["in"] == "path" and parameter["schema"]["type"] == "integer"


def takes_json(operation):
    return "application/json" in operation.get("requestBody", {}).get("content", {})


every_operation = each(OPERATIONS)
WITHOUT_FILES = [each for each in OPERATIONS if takes_json(each[2]) or "requestBody" not in each[2]]
"""What uploads files is tested on its own."""
every_change = each([each for each in WITHOUT_FILES if each[0] != "get"])
every_body = each([each for each in OPERATIONS if takes_json(each[2])])


def refused(callers, send):
    """The problem of the first caller whose role may call at all."""
    for caller in callers:
        answer = send(caller)
        if answer.status_code not in (401, 403):
            return answer
    raise AssertionError("nobody may call this")


@pytest.fixture
def callers(as_, ada, tunde, boss):
    return [as_(ada), as_(tunde), as_(boss)]


def filled(path, operation):
    """The path with ids, or text where it takes text, in its places."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", "1")
    return path


@every_operation
def test_an_unknown_query_key_is_refused(callers, method, path, operation):
    address = f"{filled(path, operation)}?surely_unknown=1"
    answer = refused(callers, lambda caller: getattr(caller, method)(address))
    assert answer.status_code == 422
    assert "surely_unknown" in [error["loc"] for error in answer.json()["errors"]]


@every_change
def test_an_unknown_field_is_refused(callers, method, path, operation):
    body = {"surely_unknown": 1}
    answer = refused(callers, lambda caller: getattr(caller, method)(filled(path, operation), body))
    assert answer.status_code == 422
    assert "surely_unknown" in [error["loc"] for error in answer.json()["errors"]]


def example_for(operation):
    """The body the reference shows, and its schema; an empty one where there is none."""
    if not takes_json(operation):
        return {}, {}
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    schema = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return dict(schema["examples"][0]), schema["properties"]


def kind_of(schema):
    """The JSON type of a field, be it optional or not."""
    return {part.get("type") for part in schema.get("anyOf", [schema])} - {"null"}


@every_body
def test_text_is_taken_for_no_number_and_no_switch(callers, method, path, operation):
    body, fields = example_for(operation)
    text = {"integer": "1", "boolean": "true"}
    written = {name: text[kind] for name, field in fields.items() for kind in kind_of(field) & set(text)}
    if not written:
        return
    answer = refused(callers, lambda caller: getattr(caller, method)(filled(path, operation), body | written))
    assert answer.status_code == 422, answer.content
    assert {error["loc"] for error in answer.json()["errors"]} >= set(written)


@each([each for each in WITHOUT_FILES if any(map(is_id, each[2]["parameters"]))])
def test_an_id_in_the_path_is_404_when_nothing_has_it_and_422_when_it_is_none(callers, method, path, operation):
    body, _ = example_for(operation)
    names = [parameter["name"] for parameter in operation["parameters"] if is_id(parameter)]

    def answer_to(text):
        address = path
        for name in names:
            address = address.replace(f"{{{name}}}", text)
        return refused(callers, lambda caller: getattr(caller, method)(address, body))

    for text in ("999999", "0", "-1", str(2**63)):
        answer = answer_to(text)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), answer.content
    answer = answer_to("undefined")
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["errors"]] == names


@every_body
def test_a_body_that_is_no_json_is_400(callers, method, path, operation):
    send = {"content_type": "application/json"}
    answer = refused(callers, lambda caller: getattr(caller, method)(filled(path, operation), "{nonsense", **send))
    assert answer.status_code == 400


@every_operation
def test_the_reference_shows_an_example(method, path, operation):
    schemas = CONTRACT["components"]["schemas"]

    def shows(node):
        if isinstance(node, list):
            return any(map(shows, node))
        if not isinstance(node, dict):
            return False
        if node.get("examples") or node.get("example"):
            return True
        if "$ref" in node:
            return shows(schemas[node["$ref"].rpartition("/")[2]])
        return any(map(shows, node.values()))

    answers = {code: answer for code, answer in operation["responses"].items() if int(code) < 300}
    assert all(shows(answer) for code, answer in answers.items() if "content" in answer)
    if "requestBody" in operation:
        assert shows(operation["requestBody"])
    assert operation["description"]

"""Unknown fields and query keys are refused by every operation that is not about signing in."""

import pytest

from marketplace.api import api

SHUT = ("/api/auth/", "/api/me/", "/api/payments/webhook/")
"""Throttled, or raw, and tested on their own."""
CONTRACT = api.get_openapi_schema()
OPERATIONS = [
    (method, path, operation)
    for path, operations in CONTRACT["paths"].items()
    for method, operation in operations.items()
    if not path.startswith(SHUT)
]


def each(operations):
    names = [f"{method} {path}" for method, path, _ in operations]
    return pytest.mark.parametrize(("method", "path", "operation"), operations, ids=names)


def takes_json(operation):
    return "application/json" in operation.get("requestBody", {}).get("content", {})


every_operation = each(OPERATIONS)
every_change = each(
    [each for each in OPERATIONS if each[0] != "get" and (takes_json(each[2]) or "requestBody" not in each[2])]
)
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

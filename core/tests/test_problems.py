import json
import logging

import pytest
from django.test import Client

pytestmark = pytest.mark.urls("core.tests.sample")
MEMBERS = {"type", "title", "status", "detail", "code", "errors"}


def problem_in(response, status, code=""):
    """The document, after checking that it is one."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    document = response.json()
    assert set(document) == MEMBERS
    assert document["status"] == status
    assert document["title"]
    assert document["detail"].endswith(".")
    if code:
        assert document["code"] == code
    return document


def locs(response):
    return [error["loc"] for error in problem_in(response, 422)["errors"]]


@pytest.mark.parametrize(
    "path", ["/api/nowhere/", "/api/nowhere", "/api/", "/api", "/api/orders", "/api/things/1", "/api/x.php"]
)
@pytest.mark.parametrize("method", ["get", "post", "patch", "delete", "put"])
def test_an_unknown_route_or_a_missing_slash_is_a_problem(client, path, method):
    problem_in(getattr(client, method)(path), 404, "not_found")


def test_a_missing_slash_is_named(client):
    assert "slash" in client.post("/api/orders").json()["detail"]


def test_a_wrong_method_is_a_problem_that_says_which_are_allowed(client):
    response = client.delete("/api/orders/")
    problem_in(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"


def test_a_wrong_host_is_a_problem(client):
    problem_in(client.get("/api/people/", headers={"host": "evil.example"}), 400)


def test_the_same_holds_under_asgi():
    from asgiref.sync import async_to_sync
    from django.test import AsyncClient

    client = AsyncClient()
    problem_in(async_to_sync(client.get)("/api/nowhere"), 404)
    problem_in(async_to_sync(client.delete)("/api/orders/"), 405)
    problem_in(async_to_sync(client.post)("/api/orders/"), 401)


def test_paths_elsewhere_keep_their_own_pages(client):
    assert client.get("/nowhere/")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("conflict", 409, "already_answered"),
        ("invalid", 422, "invalid"),
        ("missing", 404, "not_found"),
        ("unavailable", 503, "unavailable"),
        ("database", 503, "unavailable"),
    ],
)
def test_errors_of_the_business_carry_their_status_and_code(client, how, status, code):
    response = client.get(f"/api/fails/{how}/")
    problem_in(response, status, code)
    assert ("Retry-After" in response) == (status == 503)
    assert "hunter2" not in response.content.decode()


def test_a_refused_value_names_its_field(client):
    assert client.get("/api/fails/invalid/").json()["errors"] == [{"loc": "booking_date", "msg": "Too far away."}]


def test_a_bug_is_a_problem_that_tells_nothing_and_is_logged(caplog):
    with caplog.at_level(logging.ERROR, logger="core.api"):
        response = Client(raise_request_exception=False).get("/api/fails/bug/")
    problem_in(response, 500, "internal_error")
    assert b"ada@example.com" not in response.content
    record = next(record for record in caplog.records if record.name == "core.api")
    assert record.getMessage() == "Internal error: GET /api/fails/bug/"
    assert record.exc_info


def test_a_bug_is_not_hidden_from_tests(client):
    with pytest.raises(RuntimeError):
        client.get("/api/fails/bug/")


def test_nothing_of_the_api_is_kept_in_caches(client):
    assert client.get("/api/nowhere/")["Cache-Control"] == "no-store"


def test_401_says_how_to_authenticate(client):
    response = client.post("/api/orders/")
    problem_in(response, 401, "token_missing")
    assert response["WWW-Authenticate"] == "Bearer"


# --- Names of fields


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["amount"]),
        ({"amount": 5}, ["amount"]),
        ({"amount": "1.00", "lines": [{"label": "a", "amount": "1"}, {"amount": "1"}]}, ["lines.1.label"]),
        ({"amount": "1.00", "colour": "red"}, ["colour"]),
        ({"amount": "1.00", "lines": [{"label": "a", "amount": "1", "colour": "red"}]}, ["lines.0.colour"]),
        ({"amount": "1.00", "lines": {"label": "a"}}, ["lines"]),
        ({"amount": "1.00", "user_id": 2**63}, ["user_id"]),
        ({"amount": "1.00", "user_id": 0}, ["user_id"]),
        ({"amount": "1.00", "user_id": True}, ["user_id"]),
        ({"amount": "1.00", "user_id": "1", "count": "5", "urgent": "true"}, ["count", "urgent", "user_id"]),
        ({"amount": "x", "note": 5}, ["amount", "note"]),
        ([], [""]),
        ("amount", [""]),
        (None, [""]),
    ],
)
def test_fields_are_named_as_the_caller_names_them(as_, ada, body, expected):
    assert locs(as_(ada).post("/api/orders/", data=json.dumps(body))) == expected


def test_no_body_at_all_names_what_is_required(as_, ada):
    assert locs(as_(ada).generic("POST", "/api/orders/")) == ["amount"]


def test_a_list_item_in_a_query_is_named(client, db):
    assert locs(client.get("/api/people/?limit=0")) == ["limit"]


@pytest.mark.parametrize("path", ["/api/people/?colour=red", "/api/people/?limits=5", "/api/fails/missing/?colour=1"])
def test_an_unknown_query_key_is_refused(client, db, path):
    assert len(locs(client.get(path))) == 1


@pytest.mark.parametrize("thing_id", ["abc", "1.5", "1_0", "٣", "undefined"])
def test_what_is_no_id_in_the_path_is_refused_by_name(client, thing_id):
    assert locs(client.get(f"/api/things/{thing_id}/")) == ["thing_id"]


@pytest.mark.parametrize("thing_id", ["0", "-1", str(2**63), "9" * 30, "1"])
def test_an_id_in_the_path_that_nothing_has_is_not_there(client, thing_id):
    problem_in(client.get(f"/api/things/{thing_id}/"), 404, "not_found")


def test_an_operation_without_a_body_refuses_one(as_, ada):
    assert as_(ada).generic("POST", "/api/things/1/act/").status_code == 200
    assert as_(ada).post("/api/things/1/act/", {}).status_code == 200
    assert locs(as_(ada).post("/api/things/1/act/", {"a": 1})) == ["a"]
    problem_in(as_(ada).generic("POST", "/api/things/1/act/", b"a=1"), 400)


def test_an_operation_may_read_the_raw_body_itself(client):
    assert client.generic("POST", "/api/raw/", b"\xff{").json() == 2


def test_an_unknown_form_field_is_refused(as_, ada):
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test.client import MULTIPART_CONTENT

    body = {"caption": "A tap", "photo": SimpleUploadedFile("a.png", b"123"), "colour": "red"}
    assert locs(as_(ada).post("/api/files/", body, content_type=MULTIPART_CONTENT)) == ["colour"]


# --- Text no database takes


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800", "\\udc00\\ud800"])
@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ('{"amount": "1.00", "note": "%s"}', "note"),
        ('{"amount": "1.00", "lines": [{"amount": "1", "label": "%s"}]}', "lines.0.label"),
    ],
)
def test_nul_and_half_surrogates_are_refused_by_name(as_, ada, text, body, loc):
    assert locs(as_(ada).post("/api/orders/", body % text)) == [loc]


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800"])
def test_fields_of_no_special_type_are_guarded_as_well(as_, ada, text):
    assert locs(as_(ada).post("/api/pay/", f'{{"amount": "1.00", "outcome": "{text}"}}')) == ["outcome"]


def test_a_whole_surrogate_pair_is_an_emoji(as_, ada):
    assert as_(ada).post("/api/orders/", '{"amount": "1.00", "note": "\\ud83d\\ude00"}').status_code == 201


def test_nul_in_query_and_path_is_refused(client, db):
    assert locs(client.get("/api/people/?cursor=a%00b")) == ["cursor"]
    assert locs(client.get("/api/fails/a%00b/")) == ["path"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"amount=1",
        b'{"amount": NaN}',
        b'{"amount": Infinity}',
        b"\xff\xfe",
        '{"amount": "1"}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"count": ' + b"9" * 5000 + b"}",
        b'{"a": "\x00"}',
    ],
)
def test_what_is_not_json_is_400(as_, ada, body):
    problem_in(as_(ada).generic("POST", "/api/orders/", body, content_type="application/json"), 400, "bad_request")


# --- Order of the checks


def test_checks_come_in_the_agreed_order(as_, make_client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    large, not_json, misshapen, fine = b'{"amount":"' + b"1" * 200 + b'"}', b"{", b"{}", b'{"amount": "1.00"}'

    def call(caller, body, path="/api/orders/"):
        return caller.generic("POST", path, body, content_type="application/json")

    stranger, unverified = as_(), as_(make_client("kemi", is_email_verified=False))
    problem_in(call(stranger, large), 401)
    problem_in(call(unverified, large), 413, "too_large")
    problem_in(call(unverified, not_json), 400)
    problem_in(call(unverified, not_json, "/api/orders/?colour=red"), 400)
    problem_in(call(unverified, misshapen), 422)
    problem_in(call(unverified, fine), 403, "email_not_verified")


def test_the_role_is_checked_before_the_body(as_, ada, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    problem_in(as_(ada).get("/api/whoami/admin/?colour=red"), 403, "not_yours_to_do")


def test_created_says_where(as_, ada):
    response = as_(ada).post("/api/orders/", {"amount": "15000"})
    assert (response.status_code, response["Location"]) == (201, "/api/orders/7/")
    assert response.json()["amount"] == "15000.00"


# --- The contract


@pytest.fixture
def contract(client):
    return client.get("/api/openapi.json").json()


def test_refusals_are_declared_as_problems(contract):
    responses = contract["paths"]["/api/orders/"]["post"]["responses"]
    assert set(responses["422"]["content"]) == {"application/problem+json"}
    assert set(responses["201"]["content"]) == {"application/json"}


def test_the_idempotency_key_is_declared(contract):
    headers = [item["name"] for item in contract["paths"]["/api/pay/"]["post"]["parameters"] if item["in"] == "header"]
    assert headers == ["Idempotency-Key"]
    assert not contract["paths"]["/api/orders/"]["post"]["parameters"]


def test_money_is_declared_as_a_string(contract):
    schemas = contract["components"]["schemas"]
    assert schemas["OrderIn"]["properties"]["amount"]["pattern"] == r"^[0-9]{1,8}(\.[0-9]{1,2})?$"
    assert schemas["OrderIn"]["additionalProperties"] is False
    assert schemas["OrderOut"]["properties"]["amount"]["pattern"] == r"^-?[0-9]+\.[0-9]{2}$"


def test_operations_have_short_ids(contract):
    assert contract["paths"]["/api/orders/"]["post"]["operationId"] == "sample_order"


def test_the_reference_is_served_without_the_web(client):
    page = client.get("/api/docs/").content.decode()
    assert "openapi.json" in page
    assert "//cdn" not in page
    assert "https://" not in page

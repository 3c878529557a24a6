"""/api/admin/pricing-review/ and /api/admin/update-final-cost/."""

import pytest

QUEUE = "/api/admin/pricing-review/"
PATH = "/api/admin/update-final-cost/"


def test_the_queue_holds_what_waits_for_a_price(as_, boss, request_in):
    inspected, haggling = request_in("SERVICEMAN_INSPECTED"), request_in("NEGOTIATING")
    request_in("AWAITING_CLIENT_APPROVAL")
    items = as_(boss).get(QUEUE).json()["items"]
    proposals = {item["id"]: item["open_negotiation"] for item in items}
    assert set(proposals) == {inspected.pk, haggling.pk}
    assert proposals[inspected.pk] is None
    assert proposals[haggling.pk]["proposed_amount"] == "18000.00"
    assert proposals[haggling.pk]["proposed_by"]["name"] == "Ada Obi"


def test_the_queue_is_for_admins_who_may_view(as_, ada, tunde, make_admin):
    for person in (ada, tunde, make_admin()):
        assert as_(person).get(QUEUE).status_code == 403
    assert as_(make_admin("viewer")).get(QUEUE).status_code == 200


@pytest.mark.parametrize(
    ("markup", "price"),
    [("10.00", "22000.00"), ("12.5", "22500.00"), ("0", "20000.00"), ("100", "40000.00"), ("0.01", "20002.00")],
)
def test_a_markup_in_percent_makes_the_price(as_, boss, ada, request_in, markup, price):
    request = request_in("SERVICEMAN_INSPECTED")
    answer = as_(boss).patch(
        PATH,
        {"service_request_id": request.pk, "admin_markup_percentage": markup, "note_to_client": "With parts."},
    )
    assert answer.status_code == 200, answer.content
    seen = answer.json()
    assert (seen["status"], seen["final_cost"], seen["price_version"]) == ("AWAITING_CLIENT_APPROVAL", price, 1)
    assert seen["admin_markup_percentage"] == f"{float(markup):.2f}"
    assert as_(ada).get(f"/api/service-requests/{request.pk}/").json()["price_note"] == "With parts."


def test_an_amount_leaves_the_markup_empty(as_, boss, request_in):
    request = request_in("SERVICEMAN_INSPECTED")
    seen = as_(boss).patch(PATH, {"service_request_id": request.pk, "final_cost": "23456.78"}).json()
    assert (seen["final_cost"], seen["admin_markup_percentage"]) == ("23456.78", None)


def test_below_the_estimate_it_wants_a_reason(as_, boss, request_in):
    request = request_in("SERVICEMAN_INSPECTED")
    body = {"service_request_id": request.pk, "final_cost": "19000.00"}
    answer = as_(boss).patch(PATH, body)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "reason")
    assert as_(boss).patch(PATH, body | {"reason": "An apology."}).status_code == 200


def test_a_stale_version_is_409(as_, boss, request_in):
    request = request_in("AWAITING_CLIENT_APPROVAL")
    body = {"service_request_id": request.pk, "final_cost": "23000.00"}
    answer = as_(boss).patch(PATH, body | {"price_version": 0})
    assert (answer.status_code, answer.json()["code"]) == (409, "price_changed")
    assert as_(boss).patch(PATH, body | {"price_version": 1}).json()["price_version"] == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "final_cost"),
        ({"admin_markup_percentage": "10.00", "final_cost": "22000.00"}, "final_cost"),
        ({"admin_markup_percentage": None, "final_cost": None}, "final_cost"),
        ({"admin_markup_percentage": "100.01"}, "admin_markup_percentage"),
        ({"admin_markup_percentage": "-1"}, "admin_markup_percentage"),
        ({"admin_markup_percentage": 10}, "admin_markup_percentage"),
        ({"final_cost": "0.00"}, "final_cost"),
        ({"final_cost": "100000000.00"}, "final_cost"),
        ({"final_cost": "22000.00", "price_version": -1}, "price_version"),
        ({"final_cost": "22000.00", "markup": "1"}, "markup"),
    ],
)
def test_exactly_one_of_markup_and_amount_within_bounds(as_, boss, body, field):
    answer = as_(boss).patch(PATH, {"service_request_id": 999_999, **body})
    assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, [field])


def test_there_is_no_price_before_the_estimate_or_after_the_payment(as_, boss, request_in):
    for status in ("ASSIGNED_TO_SERVICEMAN", "PAYMENT_CONFIRMED"):
        answer = as_(boss).patch(PATH, {"service_request_id": request_in(status).pk, "final_cost": "1.00"})
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")


def test_only_admins_who_may_price(as_, ada, tunde, make_admin, request_in):
    body = {"service_request_id": request_in("SERVICEMAN_INSPECTED").pk, "final_cost": "22000.00"}
    for person in (ada, tunde, make_admin("dispatcher"), make_admin("finance")):
        assert as_(person).patch(PATH, body).status_code == 403
    pricer = make_admin("pricing")
    assert as_(pricer).patch(PATH, body | {"service_request_id": 999_999}).status_code == 404
    assert as_(pricer).patch(PATH, body).status_code == 200

"""POST /api/service-requests/{id}/estimate/."""

import pytest

PATH = "/api/service-requests/{}/estimate/"


def test_it_goes_to_the_office_with_notes_and_days(as_, tunde, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    body = {"amount": "20000.5", "notes": "New cartridge.", "estimated_days": 2}
    answer = as_(tunde).post(PATH.format(request.pk), body)
    assert answer.status_code == 200, answer.content
    seen = answer.json()
    assert (seen["status"], seen["serviceman_estimated_cost"]) == ("SERVICEMAN_INSPECTED", "20000.50")
    assert (seen["estimate_notes"], seen["estimated_days"]) == ("New cartridge.", 2)
    assert seen["inspection_completed_at"] is not None


def test_it_may_be_sent_again_until_it_is_priced(as_, tunde, request_in):
    request = request_in("SERVICEMAN_INSPECTED")
    assert as_(tunde).post(PATH.format(request.pk), {"amount": "21000.00"}).status_code == 200
    priced = request_in("AWAITING_CLIENT_APPROVAL")
    answer = as_(tunde).post(PATH.format(priced.pk), {"amount": "21000.00"})
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")


def test_first_he_must_accept(as_, tunde, request_in):
    answer = as_(tunde).post(PATH.format(request_in("ASSIGNED_TO_SERVICEMAN").pk), {"amount": "1.00"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_accepted")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "0.00"),
        ("amount", "-1.00"),
        ("amount", 20000),
        ("amount", 20000.5),
        ("amount", "20000.555"),
        ("amount", "123456789.00"),
        ("amount", "1e3"),
        ("amount", "1_000"),
        ("amount", "१२"),
        ("amount", "NaN"),
        ("amount", None),
        ("estimated_days", 0),
        ("estimated_days", 366),
        ("estimated_days", "2"),
        ("estimated_days", 1.5),
        ("notes", "x" * 2001),
        ("price", "1.00"),
    ],
)
def test_the_shape_is_refused_before_anything_else(as_, tunde, field, value):
    answer = as_(tunde).post(PATH.format(999_999), {"amount": "1.00", field: value})
    assert answer.status_code == 422, answer.content
    assert [error["loc"] for error in answer.json()["errors"]] == [field]

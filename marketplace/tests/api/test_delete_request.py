"""DELETE /api/service-requests/{id}/."""

import pytest

from marketplace.models import Payment, ServiceRequest

PATH = "/api/service-requests/{}/"


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
def test_a_closed_one_is_hidden_and_its_money_stays(as_, ada, boss, tunde, request_in, status):
    request = request_in(status)
    payments = Payment.objects.filter(service_request=request).count()
    answer = as_(ada).delete(PATH.format(request.pk))
    assert (answer.status_code, answer.content) == (204, b"")
    for person in (ada, tunde):
        assert as_(person).get(PATH.format(request.pk)).status_code == 404
    assert as_(boss).get(PATH.format(request.pk)).status_code == 200
    assert Payment.objects.filter(service_request=request).count() == payments


def test_an_unpaid_one_is_cancelled_by_it(as_, ada, request_in):
    request = request_in("AWAITING_BOOKING_FEE")
    assert as_(ada).delete(PATH.format(request.pk)).status_code == 204
    request = ServiceRequest.objects.get(pk=request.pk)
    assert (request.status, request.is_deleted, request.cancelled_by_role) == ("CANCELLED", True, "CLIENT")


@pytest.mark.parametrize("status", ["PENDING_ADMIN_ASSIGNMENT", "IN_PROGRESS"])
def test_one_that_runs_must_be_cancelled_first(as_, ada, request_in, status):
    answer = as_(ada).delete(PATH.format(request_in(status).pk))
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")


def test_it_is_gone_the_second_time(as_, ada, request_in):
    request = request_in("COMPLETED")
    as_(ada).delete(PATH.format(request.pk))
    assert as_(ada).delete(PATH.format(request.pk)).status_code == 404


def test_only_its_client_and_admins_who_may_cancel(as_, eve, tunde, make_admin, request_in):
    request = request_in("COMPLETED")
    assert as_(eve).delete(PATH.format(request.pk)).status_code == 404
    assert as_(tunde).delete(PATH.format(request.pk)).status_code == 403
    assert as_(make_admin("finance")).delete(PATH.format(request.pk)).status_code == 403
    assert as_(make_admin("dispatcher")).delete(PATH.format(request.pk)).status_code == 204

"""POST /api/service-requests/{id}/approve/."""

import pytest

PATH = "/api/service-requests/{}/approve/"


def test_the_client_agrees_to_the_price_she_was_shown(as_, ada, request_in):
    request = request_in("AWAITING_CLIENT_APPROVAL")
    answer = as_(ada).post(PATH.format(request.pk), {"price_version": 1})
    assert answer.status_code == 200, answer.content
    assert answer.json()["status"] == "AWAITING_PAYMENT"
    assert answer.json()["available_actions"] == ["cancel", "negotiate", "issues", "pay"]


@pytest.mark.parametrize("version", [0, 2])
def test_another_version_is_409_price_changed(as_, ada, request_in, version):
    answer = as_(ada).post(PATH.format(request_in("AWAITING_CLIENT_APPROVAL").pk), {"price_version": version})
    assert (answer.status_code, answer.json()["code"]) == (409, "price_changed")


@pytest.mark.parametrize("version", [None, "one", -1, 2**31, 1.5])
def test_the_version_is_a_whole_number(as_, ada, request_in, version):
    answer = as_(ada).post(PATH.format(request_in("AWAITING_CLIENT_APPROVAL").pk), {"price_version": version})
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "price_version")


def test_another_client_finds_nothing(as_, eve, request_in):
    answer = as_(eve).post(PATH.format(request_in("AWAITING_CLIENT_APPROVAL").pk), {"price_version": 1})
    assert answer.status_code == 404


@pytest.mark.parametrize("who", ["tunde", "boss"])
def test_nobody_else_approves_here(as_, request, request_in, who):
    answer = as_(request.getfixturevalue(who)).post(
        PATH.format(request_in("AWAITING_CLIENT_APPROVAL").pk), {"price_version": 1}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "not_yours_to_do")

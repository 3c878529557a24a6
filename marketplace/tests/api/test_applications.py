"""/api/admin/servicemen/: who waits for approval, approving and rejecting."""

import pytest

from marketplace.models import Category

PATH = "/api/admin/servicemen/"


@pytest.fixture
def sani(make_serviceman):
    return make_serviceman("sani", profile={"approval": "PENDING"})


def ids(caller, query=""):
    return [item["id"] for item in caller.get(f"{PATH}{query}").json()["items"]]


def test_admins_see_who_waits(as_, boss, tunde, sani):
    assert ids(as_(boss)) == [sani.pk, tunde.pk]
    assert ids(as_(boss), "?approval=PENDING") == [sani.pk]
    (item,) = as_(boss).get(f"{PATH}?approval=PENDING").json()["items"]
    assert item["email"] == "sani@example.com"
    assert (item["profile"]["approval"], item["profile"]["category"]["name"]) == ("PENDING", "Plumbing")
    assert as_(boss).get(f"{PATH}?approval=MAYBE").status_code == 422


def test_whoever_is_approved_is_in_the_directory(as_, boss, sani):
    answer = as_(boss).post(f"{PATH}{sani.pk}/approve/")
    assert answer.status_code == 200, answer.content
    assert answer.json()["profile"]["approval"] == "APPROVED"
    assert as_().get(f"/api/servicemen/{sani.pk}/").status_code == 200
    again = as_(boss).post(f"{PATH}{sani.pk}/approve/")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")


def test_he_may_be_approved_for_another_trade(as_, boss, sani):
    wiring = Category.objects.create(name="Wiring", description="Cables.")
    unknown = as_(boss).post(f"{PATH}{sani.pk}/approve/", {"category_id": 999_999})
    assert (unknown.status_code, unknown.json()["errors"][0]["loc"]) == (422, "category_id")
    assert unknown.json()["code"] == "unknown_category"
    answer = as_(boss).post(f"{PATH}{sani.pk}/approve/", {"category_id": wiring.pk})
    assert answer.json()["profile"]["category"] == {"id": wiring.pk, "name": "Wiring"}


def test_nobody_is_approved_who_would_stay_hidden(as_, boss, make_serviceman):
    kola = make_serviceman("kola", profile={"approval": "PENDING"}, is_email_verified=False)
    answer = as_(boss).post(f"{PATH}{kola.pk}/approve/", {"category_id": 999_999})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_not_verified")
    assert "e-mail" in answer.json()["detail"]
    sani = make_serviceman("sani", profile={"approval": "PENDING", "category": None})
    answer = as_(boss).post(f"{PATH}{sani.pk}/approve/")
    assert (answer.status_code, answer.json()["code"]) == (409, "category_missing")
    assert as_(boss).get(f"{PATH}?approval=APPROVED").json()["items"] == []


def test_whoever_is_rejected_learns_why(as_, boss, sani):
    assert as_(boss).post(f"{PATH}{sani.pk}/reject/", {}).status_code == 422
    answer = as_(boss).post(f"{PATH}{sani.pk}/reject/", {"reason": "No references."})
    assert (answer.status_code, answer.json()["profile"]["approval"]) == (200, "REJECTED")
    assert as_(sani).get("/api/me/").json()["profile"]["rejection_reason"] == "No references."


def test_only_admins_who_may_approve(as_, ada, tunde, make_admin, sani):
    for person in (ada, tunde, make_admin("pricing"), make_admin("viewer")):
        assert as_(person).post(f"{PATH}{sani.pk}/approve/").status_code == 403
        assert as_(person).post(f"{PATH}{sani.pk}/reject/", {"reason": "No."}).status_code == 403
    assert as_(ada).get(PATH).status_code == 403
    dispatcher = make_admin("dispatcher")
    assert as_(dispatcher).post(f"{PATH}{ada.pk}/approve/").status_code == 404
    assert as_(dispatcher).post(f"{PATH}{sani.pk}/approve/").status_code == 200

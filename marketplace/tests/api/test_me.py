import pytest

from core.models import User
from marketplace.models import Category, Notification, ServicemanProfile
from marketplace.services import accounts, standing
from marketplace.tests.api.test_register import PRIVILEGES

PATH = "/api/me/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def roofs():
    return Category.objects.create(name="Roofs")


def refused(response):
    assert response.status_code == 422, response.content
    return [error["loc"] for error in response.json()["errors"]]


def test_each_side_sees_its_own_profile(as_, ada, tunde, boss):
    assert as_(ada).get(PATH).json()["profile"] == {"address": "12 Allen Avenue, Ikeja, Lagos"}
    assert as_(tunde).get(PATH).json()["profile"]["approval"] == "APPROVED"
    assert as_(boss).get(PATH).json()["profile"] is None
    assert as_().get(PATH).status_code == 401


def test_unverified_people_may_see_and_change_themselves(as_, make_client):
    kemi = make_client("kemi", is_email_verified=False)
    assert as_(kemi).patch(PATH, {"first_name": "Kemisola"}).json()["first_name"] == "Kemisola"


def test_only_what_is_sent_changes(as_, ada):
    before = as_(ada).get(PATH).json()
    after = as_(ada).patch(PATH, {"phone_number": "08039999999", "address": "2 Bode St"}).json()
    assert after == before | {"phone_number": "+2348039999999", "profile": {"address": "2 Bode St"}}
    assert as_(ada).patch(PATH, {}).json() == after
    assert as_(ada).patch(PATH, {"phone_number": ""}).json()["phone_number"] == ""


def test_a_serviceman_says_what_he_does_and_whether_he_is_free(as_, tunde):
    body = {"bio": "Pipes.\nAnd taps.", "years_of_experience": None, "is_available": False}
    profile = as_(tunde).patch(PATH, body).json()["profile"]
    assert profile["approval"] == "APPROVED"
    assert {name: profile[name] for name in body} == body


@pytest.mark.parametrize("field", ["bio", "years_of_experience", "is_available", "category_id"])
def test_a_client_has_no_trade(as_, ada, plumbing, field):
    value = {"bio": "x", "years_of_experience": 1, "is_available": False, "category_id": plumbing.pk}[field]
    assert refused(as_(ada).patch(PATH, {field: value, "first_name": "Changed"})) == [field]
    assert User.objects.get(pk=ada.pk).first_name == "Ada"


def test_a_serviceman_has_no_address(as_, tunde):
    assert refused(as_(tunde).patch(PATH, {"address": "x"})) == ["address"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"first_name": None}, "first_name"),
        ({"is_available": None}, "is_available"),
        ({"category_id": None}, "category_id"),
        ({"is_available": "no"}, "is_available"),
        ({"years_of_experience": -1}, "years_of_experience"),
        ({"years_of_experience": 71}, "years_of_experience"),
        ({"bio": "x" * 2001}, "bio"),
        ({"category_id": 999999}, "category_id"),
        ({"email": "other@example.com"}, "email"),
        ({"user_type": "ADMIN"}, "user_type"),
        ({"password": "Str0ng-enough"}, "password"),
    ],
)
def test_a_bad_value_names_its_field(as_, tunde, body, field):
    assert refused(as_(tunde).patch(PATH, body)) == [field]


@pytest.mark.parametrize("field", PRIVILEGES)
def test_nobody_makes_himself_more_than_he_is(as_, tunde, field):
    assert refused(as_(tunde).patch(PATH, {field: PRIVILEGES[field]})) == [field]


def test_a_new_trade_is_a_new_application(as_, tunde, boss, roofs):
    profile = as_(tunde).patch(PATH, {"category_id": roofs.pk}).json()["profile"]
    assert (profile["category"]["name"], profile["approval"]) == ("Roofs", "PENDING")
    assert not ServicemanProfile.objects.listed().exists()
    assert Notification.objects.get(user=boss).notification_type == "SERVICEMAN_APPLICATION"


def test_the_same_trade_is_no_application(as_, tunde, boss, plumbing):
    assert as_(tunde).patch(PATH, {"category_id": plumbing.pk}).json()["profile"]["approval"] == "APPROVED"
    assert not Notification.objects.exists()


def test_a_new_trade_is_no_way_out_of_a_suspension(as_, tunde, roofs):
    ServicemanProfile.objects.filter(user=tunde).update(approval="SUSPENDED", approval_reason="Complaints.")
    profile = as_(tunde).patch(PATH, {"category_id": roofs.pk}).json()["profile"]
    assert (profile["approval"], profile["rejection_reason"]) == ("SUSPENDED", "Complaints.")


def test_a_closed_trade_cannot_be_chosen(as_, tunde, roofs):
    Category.objects.filter(pk=roofs.pk).update(is_active=False)
    assert refused(as_(tunde).patch(PATH, {"category_id": roofs.pk})) == ["category_id"]


def test_changes_are_in_the_history_with_who(as_, tunde, roofs):
    as_(tunde).patch(PATH, {"first_name": "Babatunde", "category_id": roofs.pk})
    assert (tunde.history.latest().first_name, tunde.history.latest().history_user) == ("Babatunde", tunde)
    profile = tunde.serviceman_profile.history.latest()
    assert (profile.history_user, profile.history_change_reason) == (tunde, "Changed the trade.")


def test_an_unchanged_profile_leaves_no_history(as_, ada):
    before = ada.history.count()
    as_(ada).patch(PATH, {"first_name": "Ada"})
    assert ada.history.count() == before


# --- Approval


@pytest.fixture
def sani(make_serviceman):
    return make_serviceman("sani", profile={"approval": "PENDING"})


def test_approving_lists_a_serviceman_and_tells_him(sani, make_admin):
    dispatcher = make_admin("dispatcher")
    profile = standing.approve_serviceman(sani.pk, by=dispatcher)
    assert (profile.approval, profile.approval_by) == ("APPROVED", dispatcher)
    assert ServicemanProfile.objects.listed().get() == profile
    assert Notification.objects.get(user=sani).notification_type == "SERVICEMAN_APPROVED"
    assert profile.history.latest().history_user == dispatcher


def test_rejecting_says_why(as_, sani, boss):
    standing.reject_serviceman(sani.pk, by=boss, reason="No certificate.")
    assert Notification.objects.get(user=sani).notification_type == "SERVICEMAN_REJECTED"
    assert as_(sani).get(PATH).json()["profile"]["rejection_reason"] == "No certificate."
    assert sani.serviceman_profile.history.latest().history_change_reason == "No certificate."
    standing.approve_serviceman(sani.pk, by=boss)
    assert as_(sani).get(PATH).json()["profile"]["rejection_reason"] == ""


def test_a_judgement_is_refused_as_the_rules_say(sani, tunde, ada, boss, make_admin):
    from core.errors import Conflict, Forbidden, Invalid, Missing

    for user_id, by, error in [
        (ada.pk, boss, Missing),
        (tunde.pk, boss, Conflict),
        (sani.pk, make_admin("finance"), Forbidden),
        (sani.pk, sani, Forbidden),
    ]:
        with pytest.raises(error):
            standing.approve_serviceman(user_id, by=by)
        with pytest.raises(error):
            standing.reject_serviceman(user_id, by=by, reason="x")
    with pytest.raises(Invalid):
        standing.reject_serviceman(sani.pk, by=boss, reason="  ")
    assert ServicemanProfile.objects.get(user=sani).approval == "PENDING"
    assert not Notification.objects.exists()


def test_nobody_changes_anothers_profile(ada, eve, boss):
    from core.errors import Forbidden

    for by in (eve, boss):
        with pytest.raises(Forbidden):
            accounts.update_profile(user=ada, by=by, first_name="Eve")
